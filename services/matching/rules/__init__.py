"""Rules of matching: what a word means, who fits whom, and why; pure, no I/O."""
