# Settings of interactive shells, for all users. Login shells read /etc/profile before.

# Nothing is for whoever runs no interactive shell.
[ -n "$PS1" ] || return

shopt -s checkwinsize histappend
HISTCONTROL=ignoreboth

# user@host:folder; root is marked by the sign at the end.
PS1='\u@\h:\w\$ '

alias ls='ls --color=auto'
alias grep='grep --color=auto'

if [ -r /usr/share/bash-completion/bash_completion ] && ! shopt -oq posix; then
    . /usr/share/bash-completion/bash_completion
fi
