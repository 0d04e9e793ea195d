"""What clients and models' servers have in common: how long a server's faults are waited out."""
