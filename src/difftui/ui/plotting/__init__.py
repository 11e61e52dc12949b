"""How a plot is drawn in characters: points to columns, columns to dots, dots to cells, axes around them."""
