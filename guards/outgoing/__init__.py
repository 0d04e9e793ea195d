"""What goes to a model: the texts that stand in it, whose words they are, and how they are quoted."""
