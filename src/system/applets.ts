/** Where the links to the bundled BusyBox go: what `busybox --list-full` of busybox-static 1.35.0 prints (`init` is our own). */
export const APPLETS: readonly string[] = (
  'usr/bin/[ usr/bin/[[ sbin/acpid usr/sbin/add-shell usr/sbin/addgroup usr/sbin/adduser sbin/adjtimex ' +
  'usr/bin/ar bin/arch sbin/arp usr/sbin/arping usr/bin/ascii bin/ash usr/bin/awk bin/base32 ' +
  'bin/base64 usr/bin/basename usr/bin/bc usr/bin/blkdiscard sbin/blkid sbin/blockdev sbin/bootchartd ' +
  'usr/sbin/brctl usr/bin/bunzip2 usr/bin/bzcat usr/bin/bzip2 usr/bin/cal bin/cat usr/sbin/chat ' +
  'bin/chattr bin/chgrp bin/chmod bin/chown usr/sbin/chpasswd usr/bin/chpst usr/sbin/chroot ' +
  'usr/bin/chrt usr/bin/chvt usr/bin/cksum usr/bin/clear usr/bin/cmp usr/bin/comm bin/conspy bin/cp ' +
  'bin/cpio usr/bin/crc32 usr/sbin/crond usr/bin/crontab usr/bin/cryptpw bin/cttyhack usr/bin/cut ' +
  'bin/date usr/bin/dc bin/dd usr/bin/deallocvt usr/sbin/delgroup usr/sbin/deluser sbin/depmod ' +
  'sbin/devmem bin/df usr/sbin/dhcprelay usr/bin/diff usr/bin/dirname bin/dmesg usr/sbin/dnsd ' +
  'bin/dnsdomainname usr/bin/dos2unix usr/bin/dpkg usr/bin/dpkg-deb usr/bin/du bin/dumpkmap ' +
  'usr/bin/dumpleases bin/echo bin/ed bin/egrep usr/bin/eject usr/bin/env usr/bin/envdir ' +
  'usr/bin/envuidgid usr/bin/expand usr/bin/expr usr/bin/factor usr/sbin/fakeidentd usr/bin/fallocate ' +
  'bin/false bin/fatattr usr/sbin/fbset sbin/fbsplash bin/fdflush usr/sbin/fdformat sbin/fdisk ' +
  'usr/bin/fgconsole bin/fgrep usr/bin/find sbin/findfs usr/sbin/flash_eraseall usr/sbin/flash_lock ' +
  'usr/sbin/flash_unlock usr/sbin/flashcp usr/bin/flock usr/bin/fold usr/bin/free sbin/freeramdisk ' +
  'sbin/fsck sbin/fsck.minix usr/sbin/fsfreeze sbin/fstrim bin/fsync usr/sbin/ftpd usr/bin/ftpget ' +
  'usr/bin/ftpput usr/bin/fuser bin/getopt sbin/getty bin/grep usr/bin/groups bin/gunzip bin/gzip ' +
  'sbin/halt usr/bin/hd sbin/hdparm usr/bin/head usr/bin/hexdump usr/bin/hexedit usr/bin/hostid ' +
  'bin/hostname usr/sbin/httpd bin/hush sbin/hwclock usr/sbin/i2cdump usr/sbin/i2cget usr/sbin/i2cset ' +
  'usr/sbin/i2ctransfer usr/bin/id sbin/ifconfig sbin/ifenslave usr/sbin/ifplugd usr/sbin/inetd ' +
  'sbin/init sbin/inotifyd sbin/insmod usr/bin/install bin/ionice bin/iostat sbin/ip sbin/ipaddr ' +
  'bin/ipcalc usr/bin/ipcrm usr/bin/ipcs sbin/iplink sbin/ipneigh sbin/iproute sbin/iprule ' +
  'sbin/iptunnel bin/kbd_mode bin/kill usr/bin/killall usr/sbin/killall5 sbin/klogd usr/bin/last ' +
  'usr/bin/less bin/link bin/linux32 bin/linux64 linuxrc bin/ln usr/sbin/loadfont sbin/loadkmap ' +
  'usr/bin/logger bin/login usr/bin/logname sbin/losetup usr/sbin/lpd usr/bin/lpq usr/bin/lpr bin/ls ' +
  'bin/lsattr sbin/lsmod usr/bin/lsof usr/bin/lspci usr/bin/lsscsi usr/bin/lsusb usr/bin/lzcat ' +
  'usr/bin/lzma bin/lzop usr/bin/lzopcat sbin/makedevs bin/makemime usr/bin/man usr/bin/md5sum ' +
  'sbin/mdev usr/bin/mesg usr/bin/microcom usr/sbin/mim bin/mkdir sbin/mkdosfs sbin/mke2fs ' +
  'usr/bin/mkfifo sbin/mkfs.ext2 sbin/mkfs.minix sbin/mkfs.reiser sbin/mkfs.vfat bin/mknod ' +
  'usr/bin/mkpasswd sbin/mkswap bin/mktemp sbin/modinfo sbin/modprobe bin/more bin/mount ' +
  'bin/mountpoint bin/mpstat bin/mt bin/mv sbin/nameif usr/sbin/nbd-client usr/bin/nc bin/netstat ' +
  'bin/nice usr/bin/nl usr/bin/nmeter usr/bin/nohup usr/sbin/nologin usr/bin/nproc usr/bin/nsenter ' +
  'usr/bin/nslookup usr/sbin/ntpd bin/nuke usr/bin/od usr/bin/openvt usr/sbin/partprobe usr/bin/passwd ' +
  'usr/bin/paste usr/bin/patch usr/bin/pgrep bin/pidof bin/ping bin/ping6 bin/pipe_progress ' +
  'sbin/pivot_root usr/bin/pkill usr/bin/pmap usr/sbin/popmaildir sbin/poweroff usr/sbin/powertop ' +
  'bin/printenv usr/bin/printf bin/ps usr/bin/pscan usr/bin/pstree bin/pwd usr/bin/pwdx ' +
  'sbin/raidautorun usr/sbin/rdate usr/sbin/rdev usr/bin/readlink usr/sbin/readprofile ' +
  'usr/bin/realpath sbin/reboot bin/reformime usr/sbin/remove-shell usr/bin/renice usr/bin/reset ' +
  'usr/bin/resize bin/resume bin/rev bin/rm bin/rmdir sbin/rmmod sbin/route bin/rpm usr/bin/rpm2cpio ' +
  'usr/sbin/rtcwake sbin/run-init bin/run-parts sbin/runlevel usr/bin/runsv usr/bin/runsvdir ' +
  'usr/bin/rx usr/bin/script bin/scriptreplay bin/sed usr/sbin/sendmail usr/bin/seq bin/setarch ' +
  'sbin/setconsole usr/bin/setfattr usr/sbin/setfont usr/bin/setkeycodes usr/sbin/setlogcons ' +
  'bin/setpriv bin/setserial usr/bin/setsid usr/bin/setuidgid bin/sh usr/bin/sha1sum usr/bin/sha256sum ' +
  'usr/bin/sha3sum usr/bin/sha512sum usr/bin/showkey usr/bin/shred usr/bin/shuf sbin/slattach ' +
  'bin/sleep usr/bin/smemcap usr/bin/softlimit usr/bin/sort usr/bin/split usr/bin/ssl_client ' +
  'sbin/start-stop-daemon bin/stat usr/bin/strings bin/stty bin/su sbin/sulogin usr/bin/sum usr/bin/sv ' +
  'usr/bin/svc usr/sbin/svlogd usr/bin/svok sbin/swapoff sbin/swapon sbin/switch_root bin/sync ' +
  'sbin/sysctl sbin/syslogd usr/bin/tac usr/bin/tail bin/tar usr/bin/taskset sbin/tc usr/bin/tcpsvd ' +
  'usr/bin/tee usr/bin/telnet usr/sbin/telnetd usr/bin/test usr/bin/tftp usr/sbin/tftpd usr/bin/time ' +
  'usr/bin/timeout usr/bin/top bin/touch usr/bin/tr usr/bin/traceroute usr/bin/traceroute6 bin/true ' +
  'usr/bin/truncate usr/bin/ts usr/bin/tty usr/bin/ttysize sbin/tunctl sbin/tune2fs usr/sbin/ubiattach ' +
  'usr/sbin/ubidetach usr/sbin/ubimkvol usr/sbin/ubirename usr/sbin/ubirmvol usr/sbin/ubirsvol ' +
  'usr/sbin/ubiupdatevol sbin/udhcpc usr/bin/udhcpc6 usr/sbin/udhcpd usr/bin/udpsvd sbin/uevent ' +
  'bin/umount bin/uname bin/uncompress usr/bin/unexpand usr/bin/uniq usr/bin/unix2dos usr/bin/unlink ' +
  'usr/bin/unlzma usr/bin/unlzop usr/bin/unshare usr/bin/unxz usr/bin/unzip usr/bin/uptime ' +
  'usr/bin/users bin/usleep usr/bin/uudecode usr/bin/uuencode sbin/vconfig bin/vi usr/bin/vlock ' +
  'usr/bin/volname usr/bin/w usr/bin/wall bin/watch sbin/watchdog usr/bin/wc usr/bin/wget ' +
  'usr/bin/which usr/bin/who usr/bin/whoami usr/bin/whois usr/bin/xargs usr/bin/xxd usr/bin/xz ' +
  'usr/bin/xzcat usr/bin/yes bin/zcat sbin/zcip ' +
  ''
)
  .trim()
  .split(' ');
