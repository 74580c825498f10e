"""Measures the stack as DESIGN asks: ratios to a floor of the same minute, CPU by process, history checked."""
