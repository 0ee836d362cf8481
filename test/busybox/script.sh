# A long script for the shell: functions, traps, here-documents, arithmetic, subshells, pipelines, job control. What it
# prints natively is recorded; here it must print the same.

say() { printf '%s\n' "$*"; }
section() { say "== $1"; }

section 'variables and quoting'
a=1 b='two words' c="a $a" d=$(printf 'x\ny')
say "$a" "$b" "$c" "$d"
say $b "$b" '$b' \$b
say "${unset:-default}" "${a:+set}" "${#b}" "${b%words}" "${b#two }" "${b%%o*}" "${b##*o}"
say "${unset=assigned}" "$unset"
(say "${nothing:?is not there}") 2>&1 | sed 's/^[^:]*: //' | sed 's/line [0-9]*: //'
x=abcabc
say "${x/b/X}" "${x//b/X}" "${x:2:3}" "${x: -2}"
readonly fixed=1
(fixed=2) 2>/dev/null || say 'readonly refused'
set -- one 'two three' four
say $# "$1" "$2" "$3"
for arg in "$@"; do say "[$arg]"; done
for arg in $*; do say "<$arg>"; done
shift
say $# "$*"
IFS=: ; set -- a:b c; say "$*"; y=1:2:3; for i in $y; do say "i=$i"; done; IFS=' 	
'
say "$(say nested "$(say deeper)")"
say `echo back\`echo quote\``
unset a; say "[${a-unset}]"
say "tab:	end" 'single "double" inside' "double 'single' inside"
export EXPORTED=yes; sh -c 'echo "$EXPORTED"'; EXPORTED=once sh -c 'echo "$EXPORTED"'; say "$EXPORTED"

section 'arithmetic'
say $((1 + 2 * 3)) $(( (1 + 2) * 3 )) $((7 / 2)) $((-7 / 2)) $((7 % 3)) $((-7 % 3))
say $((1 << 10)) $((0xff)) $((010)) $((5 > 3)) $((5 == 5 && 2 < 1)) $((!0)) $((~5))
n=5; say $((n++)) $n $((++n)) $((n -= 2)) $n $((n *= n)) $((n ? 10 : 20))
say $((9223372036854775807)) $((9223372036854775807 + 1)) $((1 << 63))
i=0; while [ $i -lt 5 ]; do i=$((i + 1)); [ $i = 3 ] && continue; [ $i = 5 ] && break; say "i $i"; done
say $((2 ** 10)) $((3, 4)) $((n = 3, n + 1))
fib() { if [ $1 -lt 2 ]; then echo $1; else echo $(($(fib $(($1 - 1))) + $(fib $(($1 - 2))))); fi; }
say "fib $(fib 10)"
gcd() { local a=$1 b=$2 t; while [ $b -ne 0 ]; do t=$((a % b)); a=$b; b=$t; done; echo $a; }
say "gcd $(gcd 1071 462)"
primes=; k=2; while [ $k -lt 60 ]; do j=2; is=1; while [ $((j * j)) -le $k ]; do [ $((k % j)) -eq 0 ] && is=0 && break; j=$((j + 1)); done; [ $is = 1 ] && primes="$primes $k"; k=$((k + 1)); done; say "primes:$primes"

section 'functions'
scope() { local v=inner; v2=changed; say "in $v $#"; return 7; }
v=outer v2=before; scope a b; say "status $? $v $v2"
recurse() { [ "$1" -gt 0 ] || { say bottom; return 3; }; recurse $(($1 - 1)); local s=$?; say "up $1 $s"; return $s; }
recurse 4; say $?
redefine() { say first; }; redefine; redefine() { say second; }; redefine; unset -f redefine; redefine 2>/dev/null || say gone
piped() { while read -r line; do say "got $line"; done; }; printf 'l1\nl2\n' | piped
withredir() { say out; say err >&2; } 2>&1
withredir | sort

section 'conditions'
if true; then say t; else say f; fi
if false; then say t; elif [ 1 = 1 ]; then say elif; fi
case foo.txt in *.c) say c ;; *.txt | *.md) say text ;; *) say other ;; esac
case abc in a[xyz]c) say no ;; a[!xyz]c) say yes ;; esac
case x in (x) say parens ;; esac
case '' in '') say empty ;; esac
true && say and || say or; false && say and || say or
! false; say $?
[ -n x ] && [ ! -e /nonexistent ] && say 'files ok'
test 5 -gt 3 -a 2 -lt 3; say $?
[ abc != abd ]; say $?
until [ ${u:=0} -ge 3 ]; do u=$((u + 1)); done; say "until $u"
for i in 1 2 3; do for j in a b; do [ $i$j = 2a ] && continue 2; [ $i = 3 ] && break 2; say $i$j; done; done

section 'here-documents'
name=World
cat <<END
Hello $name $((1 + 1)) $(say sub) \$escaped "quotes" 'kept'
END
cat <<'END'
No $name $((1 + 1)) here \$
END
cat <<-END
	tabs stripped
		both
	END
cat <<A; cat <<B
first
A
second
B
while read -r left right; do say "$left|$right"; done <<END
one two three
four
  spaced   out  
END
tr a-z A-Z <<END | rev
to upper and back
END
lines=$(cat <<END
in
substitution
END
)
say "$lines"
fromhere() { cat; }; fromhere <<END
into a function
END

section 'redirections'
say one >f; say two >>f; cat f; cat <f | wc -l
{ say grouped; say output; } >g; cat g
(say sub; exit 3) >h; say $? $(cat h)
exec 3>fd3; say 'to three' >&3; exec 3>&-; cat fd3
exec 4<f; read -r first <&4; read -r second <&4; exec 4<&-; say "$first $second"
ls nonexistent 2>err; [ -s err ] && say 'error caught'
say both >all 2>&1; cat all
{ say out; say err >&2; } 2>&1 >/dev/null
set -C; (say clobber >f) 2>/dev/null || say 'noclobber'; say forced >|f; set +C; cat f
: >empty; [ -s empty ] || say 'is empty'
cat <f - <<END | sort
ignored stdin
END
printf 'a\nb\nc\n' >abc; { read -r p; read -r q; } <abc; say "$p$q"
exec 5<>rw; say written >&5; exec 5>&-; cat rw

section 'pipelines and substitutions'
seq 1 20 | grep 1 | sed 's/1/[&]/' | tail -n 3
seq 1 100 | awk '{s += $1} END {print s}'
printf 'b\na\nc\n' | sort | tr '\n' ' '; say
say "$(seq 1 3 | while read -r n; do echo $((n * n)); done)"
false | true; say $?
true | false; say $?
yes | head -n 2
counter=0; seq 1 3 | while read -r _; do counter=$((counter + 1)); done; say "counter $counter"
say abc | { read -r v; say "brace $v"; }
set -o pipefail; false | true; say "pipefail $?"; set +o pipefail
find . -name 'f*' | sort
echo a b c | xargs -n 1 echo item
say "last $(say a | say b)"

section 'globs'
mkdir glob; cd glob; touch a.txt b.txt c.md .hidden 'with space'
say *; say *.txt; say ?.md; say [ab]*; say .h*; say no*match; say "*"; for f in *; do say "<$f>"; done
set -f; say *; set +f
cd ..; say glob/*.txt
rm -r glob

section 'traps and signals'
(trap 'say exit trap' EXIT; say body)
(trap 'say got usr1' USR1; sh -c 'kill -USR1 $PPID'; sleep 0.1; say after)
sh -c 'trap "echo term; exit 5" TERM; kill -TERM $$; echo not reached'; say $?
sh -c 'trap "" INT; kill -INT $$; echo ignored'; say $?
sh -c 'kill -KILL $$'; say $?
sh -c 'trap "echo hup" HUP; trap - HUP; kill -HUP $$'; say $?
trap 'say changed' USR2; trap | grep -c USR2; trap - USR2
(trap 'say inner' EXIT; (say subshell has no trap); exit 4); say $?
f() { trap 'say from function' EXIT; }; (f; say end)

section 'jobs'
sleep 0.1 & wait $!; say $?
(exit 9) & wait $!; say $?
sh -c 'exit 3' & p1=$!; sh -c 'exit 4' & p2=$!; wait $p1; say $?; wait $p2; say $?
{ sleep 5; say never; } & kill $!; wait $! 2>/dev/null; say $?
sleep 10 & sleep 10 & jobs | wc -l; kill $(jobs -p) 2>/dev/null; wait
for i in 1 2 3; do (sleep 0.$i; say "job $i") & done; wait; say 'all done'
wait 999999 2>/dev/null; say $?
mkfifo pipe; (say through fifo >pipe) & read -r line <pipe; say "$line"; wait
(sleep 0.1; say background) & say foreground; wait
sh -c 'kill -STOP $$; echo continued; exit 6' & q=$!; sleep 0.2; kill -CONT $q; wait $q; say "ended $?"

section 'subshells and environment'
v=parent; (v=child; say $v); say $v
(cd /; pwd); [ "$PWD" = / ] || say 'still here'
pwd | sed 's/.*\///'
umask; (umask 077; touch private; stat -c %a private); umask
(exit 42); say $?
eval 'e=evaluated; say $e'
cmd='say from variable'; $cmd; eval "$cmd twice"
say $(type say | head -n 1 | cut -c1-17)
command -v sh; command -v nosuch || say none
alias greet='say hello alias'; eval greet
[ -e ./sourced ] || say 'no file to source'; echo 'sourced=yes; say in sourced "$@"' >sourced; . ./sourced; say $sourced
set -e; (false; say no) || say 'e in subshell'; set +e
set -u; (say $undefined_variable) 2>/dev/null || say 'u caught'; set +u
say "$-" | grep -c u
getopts_test() { OPTIND=1; while getopts ab:c opt; do say "opt $opt ${OPTARG-}"; done; shift $((OPTIND - 1)); say "rest $*"; }
getopts_test -a -b value -c rest of it; getopts_test -bx -z 2>/dev/null
ulimit -n 64; ulimit -n
times | wc -l
read -r r1 r2 <<END
first rest of line
END
say "$r1/$r2"
printf '%s\n' "$(printf 'trailing\n\n\n')" | wc -l
say 'a\nb' "$(printf 'a\\nb')"
printf '%5d|%-5s|%05.1f|%x\n' 42 ab 3.14159 255

section 'text work'
cat >data <<END
alice 30 paris
bob 25 london
carol 35 rome
dave 25 oslo
END
awk '$2 > 26 {print $1}' data; sort -k2n -k1 data; cut -d' ' -f3 data | sort | head -n 2
sed -n '/bob/,/carol/p' data; grep -v o data; awk '{a[$2]++} END {for (k in a) print k, a[k]}' data | sort
while read -r who age city; do [ "$age" -lt 30 ] && say "$who of $city is young"; done <data
tr ' ' , <data | sed 's/^/- /'
wc -l data | tr -s ' '; md5sum data; tar cf - data | tar tf -; gzip -c data | zcat | cmp - data && say same
diff data data && say 'no difference'; sed s/bob/rob/ data | diff data - | tail -n 2
paste -d: data data | head -n 1; join data data 2>/dev/null | head -n 1; rev data | head -n 1; tac data | head -n 1
dd if=data bs=1 count=5 2>/dev/null; say; od -c data | head -n 1; expr length "$(cat data)"
find . -type f -name 'da*' -exec wc -c {} \; | tr -s ' '

section 'a small program: bank accounts'
mkdir bank
account_file() { echo "bank/$1"; }
account_open() {
  local file
  file=$(account_file "$1")
  if [ -e "$file" ]; then
    say "account $1 exists" >&2
    return 1
  fi
  echo "${2:-0}" >"$file"
}
account_balance() { cat "$(account_file "$1")" 2>/dev/null || { say "no account $1" >&2; return 1; }; }
account_move() {
  local from=$1 to=$2 amount=$3 have
  have=$(account_balance "$from") || return 1
  if [ "$have" -lt "$amount" ]; then
    say "$from has only $have"
    return 2
  fi
  echo $((have - amount)) >"$(account_file "$from")"
  have=$(account_balance "$to") || return 1
  echo $((have + amount)) >"$(account_file "$to")"
}
account_open ann 100
account_open ben
account_open ann 5 2>&1
account_move ann ben 30; say "moved $?"
account_move ben ann 50; say "refused $?"
account_move nobody ann 1 2>&1; say "unknown $?"
for who in ann ben; do say "$who: $(account_balance $who)"; done

section 'a small program: queue with workers'
mkdir queue results
n=1
while [ $n -le 12 ]; do
  echo $n >queue/$n
  n=$((n + 1))
done
worker() {
  local id=$1 task
  for task in queue/*; do
    # A rename is atomic: only one worker gets the task.
    mv "$task" "results/taken-$id-${task##*/}" 2>/dev/null || continue
    echo $((${task##*/} * ${task##*/})) >"results/done-${task##*/}"
    rm "results/taken-$id-${task##*/}"
  done
}
for id in 1 2 3; do
  worker $id &
done
wait
ls queue | wc -l
cat results/done-* | sort -n | tr '\n' ' '
say

section 'a small program: expression parser'
# expr := term { (+|-) term } ; term := digit { (*) digit }
input= position=0
peek() { printf '%s' "${input:$position:1}"; }
advance() { position=$((position + 1)); }
factor() {
  if [ "$(peek)" = '(' ]; then
    advance
    expression
    advance
  else
    result=$(peek)
    advance
  fi
}
term() {
  local left
  factor
  left=$result
  while [ "$(peek)" = '*' ]; do
    advance
    factor
    left=$((left * result))
  done
  result=$left
}
expression() {
  local left op
  term
  left=$result
  while :; do
    op=$(peek)
    case $op in
      + | -)
        advance
        term
        left=$((left $op result))
        ;;
      *) break ;;
    esac
  done
  result=$left
}
for input in 1+2 2*3+4 '2*(3+4)' '9-(2-1)*3' '((5))'; do
  position=0
  expression
  say "$input = $result"
done

section end
exit 17
