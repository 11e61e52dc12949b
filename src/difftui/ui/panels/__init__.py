"""The parts of the Train screen. Each shows plain records and knows nothing of the others."""
