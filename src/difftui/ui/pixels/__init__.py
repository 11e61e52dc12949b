"""How pictures become cells: the ways a terminal can show them, and the drawing for each."""
