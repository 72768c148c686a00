//! The factory of the Lazuli distribution: import, compose, build images, boot them.
