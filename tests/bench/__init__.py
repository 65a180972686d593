"""Speed, printed as ratios within one run: machines differ and are noisy."""
