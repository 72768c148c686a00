//! Components as they will be built: overlays, fingerprints, releases, rendered specs
