# Work of a shell: archives, pipelines, a journal, and a tree of processes as make would start it. Run in an empty folder.
mkdir -p src/a src/b
for i in 1 2 3 4; do
  seq $((i * 100)) > src/a/f$i
  tr 0-9 a-j < src/a/f$i > src/b/g$i
done
ln src/a/f1 src/b/hard; ln -s ../a/f2 src/b/soft
tar cf all.tar src && mkdir out && tar xf all.tar -C out && diff -r src out/src && echo same
gzip -c all.tar | gunzip | cmp - all.tar && echo packed
# A journal: written, synced, applied by a rename.
echo 0 > count
for i in 1 2 3 4 5 6 7 8 9 10; do
  read n < count
  echo $((n + i)) > journal; sync; mv journal count
done
cat count
build() {
  if [ $2 -gt 0 ]; then (build $1.1 $(($2 - 1))) & (build $1.2 $(($2 - 1))) & wait; cat o$1.1 o$1.2 > o$1; else echo leaf $1 > o$1; fi
}
build x 2; cat ox
yes | head -n 5000 | wc -l
sort -rn src/a/f4 | head -n 3 | tr '\n' ' '; echo
find . -type f ! -name all.tar | sort | xargs sha256sum | sha256sum
trap 'echo usr1' USR1; kill -USR1 $$
rm -r src o* all.tar
ls
