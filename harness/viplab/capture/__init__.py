"""What a network carried: captures indexed and control frames dissected. Pure: octets in, rows out, no lab."""
