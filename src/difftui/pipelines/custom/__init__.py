"""What an exported pipeline brings along: files that :mod:`difftui.pipelines.export` copies. They need torch,
NumPy and diffusers, and nothing of difftui but the network itself, whose source is put in their place."""
