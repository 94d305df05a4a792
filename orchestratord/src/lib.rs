//! The control plane daemon: the shell around the machine.
