# Settings of your interactive shells. What is for all users is in /etc/bash.bashrc.
