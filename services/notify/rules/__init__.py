"""Rules of notify: what there is to say, when, and in which words; pure, no I/O."""
