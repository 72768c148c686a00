# Run when a login shell ends: what is on a console is for nobody else to read.
[ "$SHLVL" = 1 ] && [ -t 1 ] && clear
