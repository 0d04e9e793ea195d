"""Values of any class: as plain data, whether two are the same, what one holds, how one gets to another process; how
long a text is."""
