"""The part of the Teach page where a language model grades, once it is known how far it agrees with a rater."""
