//! RPM spec files: the macro engine, a reader that agrees with rpm, and lossless edits
