"""The lab of real guests: libvirt defines networks and domains, SSH reaches into them; nobody else imports libvirt."""
