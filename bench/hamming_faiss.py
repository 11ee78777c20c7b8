# The peer of hamming_test.go: FAISS's exact binary indexes over the same hashes and queries, on one thread.
# usage: hamming_faiss.py HASHES QUERIES KIND; both files are 32 bytes a hash. KIND is flat, or multi as Hasher-Matcher-Actioner
# has it: 16 tables of 16 bits, one bit flipped. Prints one line: processor seconds to build, those for all queries,
# matches, bytes.
import sys, time

try:
    import faiss, numpy
except ImportError as e:
    print(e, file=sys.stderr)
    sys.exit(77)


def resident():
    for line in open("/proc/self/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024


faiss.omp_set_num_threads(1)
hashes = numpy.fromfile(sys.argv[1], dtype=numpy.uint8).reshape(-1, 32)
queries = numpy.fromfile(sys.argv[2], dtype=numpy.uint8).reshape(-1, 32)
before = resident() - hashes.nbytes
if sys.argv[3] == "flat":
    index = faiss.IndexBinaryFlat(256)
else:
    index = faiss.IndexBinaryMultiHash(256, 16, 16)
    index.nflip = 1
start = time.process_time()
index.add(hashes)
built = time.process_time() - start
del hashes
bytes_used = resident() - before
start = time.process_time()
# FAISS's radius is exclusive.
_, distances, _ = index.range_search(queries, 32)
print(built, time.process_time() - start, len(distances), bytes_used)
