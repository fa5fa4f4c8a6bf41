/**
 * The Python that install-python-peers.sh installs, with clients of DICOMweb and DIMSE; `hasProgram(PYTHON)` tells
 * whether it is there.
 */
import { fileURLToPath } from 'node:url';

/** Path of the interpreter. */
export const PYTHON = fileURLToPath(new URL('../../../node_modules/.cache/python-peers/bin/python', import.meta.url));
