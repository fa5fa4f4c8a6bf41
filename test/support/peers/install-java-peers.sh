#!/bin/sh
# Installs what the tests run on the Java virtual machine, from Maven Central: the HAPI validator, no part of the
# product. Running it again changes nothing.
set -eu
root="$(cd "$(dirname "$0")/../../.." && pwd)"
pom="$root/test/peers/java/pom.xml"
folder="$root/node_modules/.cache/java-peers"
if [ -s "$folder/classpath" ] && cmp -s "$pom" "$folder/pom.xml"; then
  echo "Java test peers are installed"
  exit 0
fi
rm -rf "$folder"
mkdir -p "$folder"
mvn --quiet --batch-mode --file "$pom" "-Dmaven.repo.local=$folder/repository" dependency:build-classpath \
  "-Dmdep.outputFile=$folder/classpath"
cp "$pom" "$folder/pom.xml"
echo "Java test peers are now installed"
