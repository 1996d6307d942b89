"""What is tested: vipd and keepalived, behind one small protocol. Knows nothing of libvirt."""
