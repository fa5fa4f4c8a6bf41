#!/bin/sh
# Installs the Python clients that the tests run against the server: DICOMweb and DIMSE peers, no part of the product.
# Running it again changes nothing.
set -eu
packages="dicomweb-client==0.61.2 pynetdicom==3.0.4 pydicom==3.0.2"
folder="$(cd "$(dirname "$0")/../../.." && pwd)/node_modules/.cache/python-peers"
if [ -x "$folder/bin/python" ] && [ "$(cat "$folder/.packages" 2>/dev/null)" = "$packages" ]; then
  echo "Python test peers are installed: $packages"
  exit 0
fi
mkdir -p "$(dirname "$folder")"
rm -rf "$folder"
python3 -m venv "$folder"
# Unquoted: one argument for each package.
"$folder/bin/pip" install --quiet $packages
echo "$packages" >"$folder/.packages"
echo "Python test peers are now installed: $packages"
