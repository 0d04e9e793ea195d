"""Guards that stand on a model of language: classifiers, entailment, similarity, topics."""
