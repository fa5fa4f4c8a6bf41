"""Reads a DICOMDIR as pydicom's FileSet, loads every file that it names, and prints what it found as JSON."""

import json
import sys
import warnings

from pydicom.fileset import FileSet

# What a reader warns of is a fault of the writer.
warnings.simplefilter("error")

file_set = FileSet(sys.argv[1])
found = []
for instance in file_set:
    node = instance.node
    # Values of the samples are not what is judged.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data_set = instance.load()
        found.append(
            {
                "path": instance.FileID,
                "type": node.record_type,
                "patient": node.parent.parent.parent.key,
                "study": node.parent.parent.key,
                "series": node.parent.key,
                "instance": str(instance.SOPInstanceUID),
                "loaded": str(data_set.SOPInstanceUID),
                "name": str(node.parent.parent.parent._record.get("PatientName", "")),
            }
        )
# The folder that pydicom makes for itself goes with it.
warnings.simplefilter("ignore")
print(json.dumps(found))
