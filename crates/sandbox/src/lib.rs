//! User and mount namespaces: work as root inside, as an ordinary user outside.
