# A lab node of one role: the project's own install script, run as at an instance's first boot.
ARG BASE
FROM ${BASE}
ARG ROLE
COPY metadata.py entrypoint.sh /opt/fiware-ha-lab/
COPY nodes /opt/fiware-ha-lab/nodes
RUN FIWARE_HA_PACKAGES=none /opt/fiware-ha-lab/nodes/install.sh "$ROLE"
COPY override /opt/fiware-ha/override
ENTRYPOINT ["/opt/fiware-ha-lab/entrypoint.sh"]
CMD []
