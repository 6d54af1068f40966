/* SPDX-License-Identifier: Apache-2.0
 * template.h - XHTML with slots becomes a list of steps, which then runs against any
 * amount of data in fixed memory. Only src/report includes this file.
 *
 *   <fb:slot name="N"/>               the text of slot N, escaped by the XML writer
 *   <fb:each name="N">...</fb:each>   once for each item of N; its slots are known inside
 *   <fb:if name="N">...</fb:if>       if slot N has text; <fb:unless> if it has none
 *   <fb:include file="F"/>            the content of <fb:part> of template F
 *   <fb:value name="N"/>              slot N as <code>, with its exact value (markup.h)
 *   <fb:style file="F"/>              the text of style sheet F; inside <style> alone
 *   <fb:script file="F"/>             the same for a script, inside <script>
 *   attribute="a {N} b"               a slot in an attribute: tokens of our own making only
 *
 * Values reach the page through markup.h alone, after its text filter: nothing that is
 * evidence can become markup, and none of it reaches an attribute but as the JSON of
 * fb:value, since SLOT_TEXT is refused there when the template is read.
 *
 * The page is polyglot: the same bytes are XML and HTML. So empty elements get their end
 * tag but for HTML's void ones, style and script hold no '<' or '&', and a DOCTYPE with
 * declarations, entities, processing instructions and foreign namespaces are refused.
 *
 * Nothing recurses over data. Templates nest at most TEMPLATE_DEPTH elements deep. */
#ifndef FOREBEAR_TEMPLATE_H
#define FOREBEAR_TEMPLATE_H

#include "util/arena.h"
#include "util/digest.h"
#include "util/error.h"
#include "util/output.h"

#define TEMPLATE_NAMESPACE "urn:forebear:template:1"

enum { TEMPLATE_DEPTH = 128 };

struct markup;
struct page; /* what the slots speak of; nothing here looks into it */

enum slot_kind {
    SLOT_TEXT,    /* may hold evidence: shown as text, never in an attribute */
    SLOT_LINES,   /* text whose line breaks and tabs count, as in a query */
    SLOT_TOKEN,   /* made by the program alone: also for attributes */
    SLOT_DRAWING, /* a picture that the program draws */
    SLOT_STYLE /* a rule of the style sheet that the program makes: in <style> alone */
};

/* Slots of a scope are known inside its loop, and inside loops in there. */
struct slot {
    const char *scope; /* the loop that it belongs to; "" for the page */
    const char *name;  /* of this slot alone */
    enum slot_kind kind;
    void (*add)(const struct page *page, struct buffer *out);
    void (*add_field)(const struct page *page, size_t field, struct buffer *out);
    size_t field; /* for add_field, which is called where there is no add */
    /* Draw, or with markup == NULL only say whether there is something to draw. */
    bool (*draw)(const struct page *page, struct markup *markup);
};

struct loop {
    const char *scope; /* where it may stand: "" or a loop around it */
    const char *name;  /* and the scope that it opens */
    bool (*next)(struct page *page, bool is_first); /* is there one (more)? */
};

struct template_language {
    const struct slot *slots;
    size_t slot_count;
    const struct loop *loops;
    size_t loop_count;
};

struct template; /* opaque */

/* Read `name` from `directory`, or where it has none the built-in one. FAILED with file
 * and line for what is not well-formed, or names what does not exist. words: the language
 * of the fixed words; "en" or NULL is that of the templates themselves, "de" is in the file de.po
 * (words.h), which is looked for in the same places. */
enum status template_open(struct template **opened, const char *name,
                          const char *directory,
                          const struct template_language *language, const char *words,
                          struct error *err);
/* The words of all files that were read, as a PO file; returns how many have no
 * translation. */
size_t template_list_words(const struct template *t, struct buffer *out);
/* base64 of the SHA-256 of a style sheet or script, as the policy names what it allows. */
struct text template_policy_hash(struct arena *arena, struct text content);
/* base64 of the SHA-256 of the style sheet's text, as a Content-Security-Policy wants it;
 * "" if the template has none. */
struct text template_style_hash(const struct template *t);
struct text template_script_hash(const struct template *t);
/* Write the page. Errors of the output stick to it (output_finish). */
enum status template_run(const struct template *t, struct page *page,
                         struct output *out, struct error *err);
void template_close(struct template *t);

#endif
