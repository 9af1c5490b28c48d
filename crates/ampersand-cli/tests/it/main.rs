//! The command, driven as people and scripts drive it.
