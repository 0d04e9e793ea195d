"""What of a value a guard on language looks at: its texts, their sentences, passages, letters."""
