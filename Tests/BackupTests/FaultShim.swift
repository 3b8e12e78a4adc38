// SPDX-License-Identifier: Apache-2.0

import Foundation
import Postgres
import SystemIO
import TestSupport
import Testing

@testable import Backup

/// The real program with a disk under it that does not give some of its bytes, or takes none: a library in C, preloaded,
/// answers EIO to reads of one file, or to writes below a folder.
struct FaultShim {
    private let library: FilePath
    private let program: FilePath

    init(in folder: FilePath) throws {
        let source = folder.appending("shim.c")
        library = folder.appending("shim.so")
        try DurableFile.replace(source, with: Array(Self.source.utf8))
        try Shell.sh("cc -shared -fPIC -O1 -o '\(library)' '\(source)' -ldl")
        let given = ProcessInfo.processInfo.environment["MLFLOW_BACKUP_BINARY"] ?? ""
        let repository = FilePath(String(#filePath)).parent.parent.parent
        program = given.isEmpty ? repository.appending(".build/debug/mlflow-backup") : FilePath(given)
    }

    /// - Parameter range: bytes of `file` that are lost.
    func run(
        _ arguments: [String], on live: LiveStackFixture, losing range: Range<UInt64>, of file: FilePath
    ) throws -> ChildProcess.Outcome {
        let faults = [
            "FAULT_PATH": file.string, "FAULT_FROM": "\(range.lowerBound)", "FAULT_TO": "\(range.upperBound)",
        ]
        return try run(arguments, on: live, faults)
    }

    func run(
        _ arguments: [String], on live: LiveStackFixture, failingWritesBelow folder: FilePath
    ) throws -> ChildProcess.Outcome {
        try run(arguments, on: live, ["FAULT_WRITES": "\(folder)/"])
    }

    private func run(
        _ arguments: [String], on live: LiveStackFixture, _ faults: [String: String]
    ) throws -> ChildProcess.Outcome {
        return try ChildProcess(
            program, arguments,
            environment: live.environment(["LD_PRELOAD": library.string].merging(faults) { $1 })
        ).run()
    }

    private static let source = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <errno.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <sys/types.h>
        #include <unistd.h>

        static int refused(int fd) {
            const char *folder = getenv("FAULT_WRITES");
            char link[64], name[4096];
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            ssize_t length = folder ? readlink(link, name, sizeof name - 1) : -1;
            if (length < 0) return 0;
            name[length] = 0;
            return !strncmp(name, folder, strlen(folder));
        }
        static int lost(int fd, off_t from, size_t count) {
            const char *path = getenv("FAULT_PATH");
            if (!path || fd < 0) return 0;
            char link[64], name[4096];
            snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
            ssize_t length = readlink(link, name, sizeof name - 1);
            if (length < 0) return 0;
            name[length] = 0;
            if (strcmp(name, path)) return 0;
            off_t begin = atoll(getenv("FAULT_FROM")), end = atoll(getenv("FAULT_TO"));
            return from < end && from + (off_t)count > begin;
        }
        ssize_t pread(int fd, void *buffer, size_t count, off_t offset) {
            static ssize_t (*real)(int, void *, size_t, off_t);
            if (!real) real = dlsym(RTLD_NEXT, "pread");
            if (lost(fd, offset, count)) { errno = EIO; return -1; }
            return real(fd, buffer, count, offset);
        }
        ssize_t pread64(int fd, void *buffer, size_t count, off_t offset) { return pread(fd, buffer, count, offset); }
        ssize_t read(int fd, void *buffer, size_t count) {
            static ssize_t (*real)(int, void *, size_t);
            if (!real) real = dlsym(RTLD_NEXT, "read");
            if (lost(fd, lseek(fd, 0, SEEK_CUR), count)) { errno = EIO; return -1; }
            return real(fd, buffer, count);
        }
        ssize_t write(int fd, const void *buffer, size_t count) {
            static ssize_t (*real)(int, const void *, size_t);
            if (!real) real = dlsym(RTLD_NEXT, "write");
            if (refused(fd)) { errno = EIO; return -1; }
            return real(fd, buffer, count);
        }
        ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t count, unsigned flags) {
            static ssize_t (*real)(int, off64_t *, int, off64_t *, size_t, unsigned);
            if (!real) real = dlsym(RTLD_NEXT, "copy_file_range");
            if (from && lost(in, *from, count)) { errno = EIO; return -1; }
            return real(in, from, out, to, count, flags);
        }
        """
}
