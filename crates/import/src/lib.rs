//! Turn a binary package of an upstream archive into an RPM without scriptlets.
