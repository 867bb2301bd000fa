"""The words of the house, one file a language. Everything that people read stands here and nowhere else."""
