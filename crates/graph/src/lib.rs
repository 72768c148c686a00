//! Build order: build requirements against what is provided
