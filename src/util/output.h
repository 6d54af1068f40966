/* SPDX-License-Identifier: Apache-2.0
 * output.h - the report's folder and its files.
 *
 * Every file is written under a temporary name (".NAME.partial") and hashed on the way.
 * Only output_dir_publish() gives all of them their names, in the order they were finished,
 * when the disk has every byte of each. What lay there under these names is set aside into a
 * folder of its own (OUTPUT_ASIDE) before, and goes when the new files stand; if they cannot,
 * it gets its names back. Between the two no manifest.json and no SHA256SUMS lies there, so
 * that a report that was cut off is known. output_dir_abandon() removes whatever this run
 * wrote, and the folder if this run made it. A run that fails or is stopped leaves nothing
 * half-written. Write errors stick: add as much as you like, output_finish()
 * tells the first, or output_dir_publish() if the disk tells it later. */
#ifndef FOREBEAR_OUTPUT_H
#define FOREBEAR_OUTPUT_H

#include "util/digest.h"
#include "util/error.h"

struct output_file { /* a finished one */
    char *name;
    uint64_t size;
    struct digest_values digests; /* SHA-256 */
    int fd;                       /* until the disk has it; -1 */
};

struct output_dir {
    char *path;
    int fd;
    bool made_here;
    struct output_file *files;
    size_t count, capacity;
    const char **stale;
    size_t stale_count, stale_capacity;
};

#define OUTPUT_ASIDE ".replaced-report"

struct output {
    struct output_dir *dir;
    char *name;
    int fd;
    int write_error; /* errno of the first failure, 0: none */
    uint64_t size;
    uint64_t allocated; /* asked of the file system ahead; UINT64_MAX: it does not do it */
    struct digester digester;
    struct buffer pending;
};

/* Make or open the folder. FAILED if it cannot be made or written, if another run is
 * writing into it, or if it already holds a report (manifest.json, or one that was set aside
 * by a run that was killed) and force is false. */
enum status output_dir_open(struct output_dir *dir, const char *path, bool force,
                            struct error *err);
/* Does anything of that name lie there? */
bool output_dir_holds(const struct output_dir *dir, const char *name);
enum status output_dir_publish(struct output_dir *dir, struct error *err);
/* Before publishing: a file of an earlier report that goes with it, if this one has none of
 * that name. The name must live as long as dir. */
void output_dir_add_stale(struct output_dir *dir, const char *name);
void output_dir_abandon(struct output_dir *dir);
/* The same for one file, whoever writes it; asks for no memory. */
void output_dir_wipe(const struct output_dir *dir, const char *name);
void output_dir_close(struct output_dir *dir);
/* The same folder for another thread, which finishes its files there; afterwards they are
 * put behind those that the folder has by then. Of a part nothing else may be asked. */
struct output_dir output_dir_part(const struct output_dir *dir);
void output_dir_join(struct output_dir *dir, struct output_dir *part);
/* NULL if no file has that name yet. */
const struct output_file *output_dir_find(const struct output_dir *dir,
                                          const char *name);

enum status output_open(struct output *out, struct output_dir *dir, const char *name,
                        struct error *err);
void output_add(struct output *out, const void *data, size_t len);
void output_add_text(struct output *out, struct text t);
void output_printf(struct output *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A piece of a file that one thread hashes while another writes it. Its bytes must stay until
 * output_piece_end(). Of the pieces of a file, begin and hash are called in their order. */
struct output_piece {
    struct output *out;
    uint64_t at;
    const char *data;
    size_t len;
    int error; /* errno, 0: none */
};

void output_piece_begin(struct output_piece *piece, struct output *out,
                        const char *data, size_t len);
void output_piece_hash(const struct output_piece *piece);
void output_piece_write(struct output_piece *piece); /* by any thread */
void output_piece_end(struct output_piece *piece);

/* Push what is pending to the file, without ending it. */
void output_flush(struct output *out);
enum status output_finish(struct output *out, struct error *err);
/* End without keeping anything. */
void output_abandon(struct output *out);

#endif
