//! OpenPGP signatures: verify against a keyring, sign deterministically.
