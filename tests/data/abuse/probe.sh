# What a program finds in its sandbox: whatever a run before left would show here. Only what is the same in
# every fresh sandbox is printed.
cd /sandbox
grep -E '^(Cap|NoNewPrivs|Seccomp|SigIgn|SigBlk|Uid|Gid|Groups|TracerPid|Threads)' /proc/self/status
cat /proc/self/limits
for p in /proc/[0-9]*; do
    # The guest's zygote is there or not, as the pool likes; it has a user of its own.
    [ "${p##*/}" = $$ ] || [ "$(stat -c %u "$p")" = 102 ] || tr '\0' ' ' <"$p/cmdline"
done 2>/dev/null
echo
for f in /proc/$$/fd/*; do echo "${f##*/} $(readlink "$f" | sed 's/[0-9]*\]/n]/')"; done
awk 'NF > 7' /proc/net/unix | tail -n +2 | wc -l # Those with a name; the guest has others.
tail -qn +2 /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 2>/dev/null | wc -l
tail -n +3 /proc/net/dev | cut -d: -f1
awk '{ print $5, $6 }' /proc/self/mountinfo | sort
env | grep -v '^HOSTNAME=' | sort
umask; pwd; nice; tty
ulimit -a
for d in /sandbox /tmp /dev/shm /dev/mqueue; do
    df -k --output=size "$d" 2>/dev/null | tail -1
    find "$d" -printf '%p %M %U:%G %n %s\n' 2>/dev/null | grep -v '^/sandbox/\.isol8' | sort
done
tail -qn +2 /proc/sysvipc/shm /proc/sysvipc/sem /proc/sysvipc/msg
