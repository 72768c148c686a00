//! Plan and execute package changes in a root, and keep the rpm database.
