"""How a contract is told to a model: described, as TypeScript, by an example."""
