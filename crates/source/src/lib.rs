//! Sources of packages: dist-git, lookaside caches, Debian source packages and crates, fetched once, by digest
