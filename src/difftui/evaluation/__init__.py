"""How good generated digits are: an independent recogniser, the Fréchet distance, one report."""
