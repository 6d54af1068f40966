/* SPDX-License-Identifier: Apache-2.0 */
#include "report/template.h"

#include <errno.h>
#include <fcntl.h>
#include <libxml/xmlreader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "embedded.h"
#include "report/markup.h"
#include "report/words.h"
#include "util/arena.h"
#include "util/memory.h"
#include "util/stop.h"
#include "util/utf.h"

enum { FILE_MAX = 4 * 1024 * 1024, INCLUDE_DEPTH = 8, FILES_MAX = 64 };

#define XHTML_NAMESPACE "http://www.w3.org/1999/xhtml"

enum step_kind {
    STEP_ELEMENT,     /* words: its name */
    STEP_ELEMENT_END, /* closes with "/>" if the element is void */
    STEP_ATTRIBUTE,   /* words: its name; text and slots up to its end are the value */
    STEP_ATTRIBUTE_END,
    STEP_TEXT,
    STEP_RAW, /* text of style and script: no '<', no '&' */
    STEP_SLOT,
    STEP_VALUE,    /* a slot as <code> with its exact value */
    STEP_EACH,     /* jump: behind its end */
    STEP_EACH_END, /* jump: behind its start */
    STEP_IF,
    STEP_UNLESS /* jump: where the content ends */
};

struct step {
    enum step_kind kind;
    bool is_void;
    uint32_t jump;
    struct text words;
    const struct slot *slot;
    const struct loop *loop;
};

struct template
{
    struct arena arena;
    const struct template_language *language;
    const char *directory;
    struct step *steps;
    size_t count, capacity;
    char *files[FILES_MAX];
    size_t file_count;
    struct text style_hash, script_hash;
    struct words words;
    struct text words_language;
};

/* What is open around the place that is being read. */
struct open_element {
    bool is_block;    /* fb:each, fb:if, fb:unless: closes with a step of its own */
    bool is_verbatim; /* translate="no" */
    bool is_silent;   /* fb:part and the fb: elements that are empty */
    uint32_t step;    /* of a block */
    const char *name; /* of an element of the page */
};

struct compiler {
    struct template *template;
    xmlTextReaderPtr reader;
    const char *name; /* of the template */
    const char *file; /* as messages call it */
    struct open_element open[TEMPLATE_DEPTH];
    size_t depth;
    const struct loop *scopes[TEMPLATE_DEPTH];
    size_t scope_count;
    size_t include_depth;
    int error_line; /* of libxml2's first complaint */
    char complaint[256];
    struct error *err;
};

static struct step *add_step(struct template *t, enum step_kind kind)
{
    ARRAY_GROW(t->steps, t->count, t->capacity);
    t->steps[t->count] = (struct step){.kind = kind};
    return &t->steps[t->count++];
}

static void add_words(struct template *t, enum step_kind kind, struct text words)
{
    add_step(t, kind)->words = arena_copy(&t->arena, words);
}

/* The line that the reader stands on; where libxml2 complained, that one's. */
static int current_line(const struct compiler *c)
{
    xmlNodePtr node = c->reader ? xmlTextReaderCurrentNode(c->reader) : NULL;
    long line = node ? xmlGetLineNo(node) : 0;
    if (c->error_line || !c->reader)
        return c->error_line;
    return line > 0 ? (int)line : xmlTextReaderGetParserLineNumber(c->reader);
}

static enum status refuse(struct compiler *c, const char *what, struct text name)
{
    return fail(c->err, FAILED, NOWHERE, "%s, line %d: %s%s%.*s", c->file,
                current_line(c), what, name.len ? ": " : "",
                TEXT(name.len ? name : TEXT_LITERAL("")));
}

/* --- files */

static enum status read_descriptor(int fd, struct buffer *out, const char *path,
                                   struct error *err)
{
    for (;;) {
        char *to = buffer_reserve(out, 65536);
        ssize_t n = read(fd, to, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(err, FAILED, NOWHERE, "%s: cannot read the template: %s", path,
                        strerror(errno));
        out->len += (size_t)n;
        if (out->len > FILE_MAX)
            return fail(err, FAILED, NOWHERE,
                        "%s: the template is larger than %d bytes", path, FILE_MAX);
        if (n == 0)
            return OK;
    }
}

static bool embedded_read(const char *name, struct buffer *out)
{
    static const char folder[] = "report-templates/";
    for (const struct embedded_file *f = embedded_files; f->path; f++) {
        if (strncmp(f->path, folder, sizeof folder - 1) != 0 ||
            strcmp(f->path + sizeof folder - 1, name) != 0)
            continue;
        buffer_add(out, f->ptr, f->len);
        return true;
    }
    return false;
}

/* From the lab's folder, or the built-in one of that name. *shown is how messages call it. */
static enum status read_file(struct template *t, const char *name, struct buffer *out,
                             const char **shown, struct error *err)
{
    *shown = arena_printf(&t->arena, "report-templates/%s", name).ptr;
    if (strchr(name, '/'))
        return fail(err, FAILED, NOWHERE, "%s: a template's name holds no folder",
                    *shown);
    if (t->directory) {
        const char *path = arena_printf(&t->arena, "%s/%s", t->directory, name).ptr;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            *shown = path;
            enum status status = read_descriptor(fd, out, path, err);
            close(fd);
            return status;
        }
        if (errno != ENOENT)
            return fail(err, FAILED, NOWHERE, "%s: cannot open the template: %s", path,
                        strerror(errno));
    }
    if (embedded_read(name, out))
        return OK;
    return fail(err, FAILED, NOWHERE, "%s: there is no template of that name", *shown);
}

static enum status note_file(struct compiler *c, const char *name)
{
    struct template *t = c->template;
    if (t->file_count == FILES_MAX)
        return refuse(c, "too many files", text_from(name));
    t->files[t->file_count++] = memory_copy_string(name);
    return OK;
}

/* --- names */

static const struct loop *find_loop(const struct compiler *c, struct text name)
{
    const struct template_language *l = c->template->language;
    for (size_t i = 0; i < l->loop_count; i++)
        if (text_equal(text_from(l->loops[i].name), name))
            return &l->loops[i];
    return NULL;
}

static bool scope_is_open(const struct compiler *c, const char *scope)
{
    bool open = *scope == '\0';
    for (size_t i = 0; i < c->scope_count && !open; i++)
        open = strcmp(c->scopes[i]->name, scope) == 0;
    return open;
}

/* No two slots have one name. */
static const struct slot *find_slot(const struct compiler *c, struct text name)
{
    const struct template_language *l = c->template->language;
    for (size_t i = 0; i < l->slot_count; i++) {
        const struct slot *slot = &l->slots[i];
        if (!text_is_empty(name) && *slot->name == *name.ptr &&
            text_equal(text_from(slot->name), name))
            return scope_is_open(c, slot->scope) ? slot : NULL;
    }
    return NULL;
}

static bool is_void(const char *name)
{
    static const char *const names[] = {"area",   "base",  "br",    "col",  "embed",
                                        "hr",     "img",   "input", "link", "meta",
                                        "source", "track", "wbr"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* An HTML parser takes the text of these as it is, without escapes. */
static bool is_raw(const char *name)
{
    return name && (strcmp(name, "style") == 0 || strcmp(name, "script") == 0);
}

static const char *element_around(const struct compiler *c)
{
    for (size_t i = c->depth; i > 0; i--)
        if (c->open[i - 1].name)
            return c->open[i - 1].name;
    return NULL;
}

/* --- reading: one node at a time */

static enum status push(struct compiler *c, struct open_element element)
{
    if (c->depth == TEMPLATE_DEPTH)
        return refuse(c, "elements are nested too deep", NO_TEXT);
    c->open[c->depth++] = element;
    return OK;
}

static struct text reader_text(const xmlChar *value)
{
    return text_from((const char *)value);
}

/* The value of the one attribute that an fb: element has. */
static enum status only_attribute(struct compiler *c, const char *name,
                                  struct text *value)
{
    *value = NO_TEXT;
    struct text element =
        arena_copy(&c->template->arena, reader_text(xmlTextReaderConstName(c->reader)));
    int more = xmlTextReaderMoveToFirstAttribute(c->reader);
    for (; more == 1; more = xmlTextReaderMoveToNextAttribute(c->reader)) {
        struct text found = reader_text(xmlTextReaderConstName(c->reader));
        if (xmlTextReaderIsNamespaceDecl(c->reader) == 1)
            continue;
        if (!text_equal(found, text_from(name)))
            return refuse(c, "unknown attribute", found);
        *value = arena_copy(&c->template->arena,
                            reader_text(xmlTextReaderConstValue(c->reader)));
    }
    xmlTextReaderMoveToElement(c->reader);
    if (text_is_empty(*value))
        return refuse(c, "this element needs its name or file", element);
    return OK;
}

/* kind: STEP_SLOT, STEP_VALUE; STEP_ATTRIBUTE for a slot in an attribute. */
static enum status add_slot(struct compiler *c, struct text name, enum step_kind kind)
{
    const struct slot *slot = find_slot(c, name);
    bool in_attribute = kind == STEP_ATTRIBUTE;
    if (!slot)
        return refuse(c, "there is no such slot here", name);
    if (in_attribute && slot->kind != SLOT_TOKEN)
        return refuse(c, "this slot may hold evidence and cannot stand in an attribute",
                      name);
    if (kind == STEP_VALUE && slot->kind == SLOT_DRAWING)
        return refuse(c, "a drawing has no value", name);
    if (!in_attribute && is_raw(element_around(c)) != (slot->kind == SLOT_STYLE))
        return refuse(c, "no slot can stand in a style or script", name);
    add_step(c->template, in_attribute ? STEP_SLOT : kind)->slot = slot;
    return OK;
}

static enum status open_each(struct compiler *c, struct text name)
{
    const struct loop *loop = find_loop(c, name);
    if (!loop || !scope_is_open(c, loop->scope))
        return refuse(c, "there is no such list here", name);
    if (scope_is_open(c, loop->name))
        return refuse(c, "this list is being gone through already", name);
    uint32_t at = (uint32_t)c->template->count;
    add_step(c->template, STEP_EACH)->loop = loop;
    c->scopes[c->scope_count++] = loop;
    return push(c, (struct open_element){.is_block = true, .step = at});
}

static enum status open_condition(struct compiler *c, struct text name,
                                  enum step_kind kind)
{
    const struct slot *slot = find_slot(c, name);
    if (!slot)
        return refuse(c, "there is no such slot here", name);
    uint32_t at = (uint32_t)c->template->count;
    add_step(c->template, kind)->slot = slot;
    return push(c, (struct open_element){.is_block = true, .step = at});
}

static void close_block(struct compiler *c, uint32_t at)
{
    struct template *t = c->template;
    if (t->steps[at].kind == STEP_EACH) {
        struct step *end = add_step(t, STEP_EACH_END);
        end->jump = at + 1;
        end->loop = t->steps[at].loop;
        c->scope_count--;
    }
    t->steps[at].jump = (uint32_t)t->count;
}

struct text template_policy_hash(struct arena *arena, struct text content)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct digester digester;
    struct digest_values d;
    struct buffer out = {0};
    digester_init(&digester, DIGEST_BIT(DIGEST_SHA256));
    digester_add(&digester, content.ptr, content.len);
    digester_finish(&digester, &d);
    const uint8_t *hash = d.value[DIGEST_SHA256];
    for (size_t i = 0; i < 33; i += 3) {
        uint32_t three = (uint32_t)hash[i] << 16 | (uint32_t)hash[i + 1] << 8 |
                         (i + 2 < 32 ? hash[i + 2] : 0);
        for (int shift = 18; shift >= 0; shift -= 6)
            buffer_add_char(&out, digits[three >> shift & 63]);
    }
    out.len--; /* 32 bytes: 43 digits and one '=' */
    buffer_add_char(&out, '=');
    struct text kept = arena_copy(arena, buffer_text(&out));
    buffer_release(&out);
    return kept;
}

/* A style sheet or script stands in the page as it is, so it must read alike as XML and as
 * HTML: an XML parser takes '<' and '&' for markup, an HTML parser does not. */
static bool raw_is_safe(struct text raw)
{
    for (size_t i = 0; i < raw.len; i++)
        if (strchr("<&\r", raw.ptr[i]))
            return false; /* a NUL is found by strchr, too */
    return utf_is_valid(raw) && !text_contains_fold(raw, TEXT_LITERAL("]]>"));
}

/* fb:style and fb:script: the element that the file stands in, and what its hash is for. */
static enum status add_raw(struct compiler *c, const char *element, struct text name,
                           struct text *hash)
{
    const char *around = element_around(c);
    if (!around || strcmp(around, element) != 0)
        return refuse(c, "this file stands inside of its <style> or <script> alone",
                      name);
    if (hash->ptr)
        return refuse(c, "a page has one style sheet and one script", name);
    struct buffer raw = {0};
    const char *shown;
    enum status status = read_file(c->template, name.ptr, &raw, &shown, c->err);
    if (status == OK && !raw_is_safe(buffer_text(&raw)))
        status = fail(c->err, FAILED, NOWHERE,
                      "%s: a style sheet or script is UTF-8 without <, &, ]]> and "
                      "carriage returns",
                      shown);
    if (status == OK)
        status = note_file(c, name.ptr);
    if (status == OK) {
        *hash = template_policy_hash(&c->template->arena, buffer_text(&raw));
        add_words(c->template, STEP_RAW, buffer_text(&raw));
    }
    buffer_release(&raw);
    return status;
}

static enum status compile_file(struct compiler *outer, const char *name);

/* An element of our own namespace. */
static enum status open_own(struct compiler *c, const char *name)
{
    struct text value;
    bool is_empty = xmlTextReaderIsEmptyElement(c->reader) == 1;
    if (strcmp(name, "part") == 0)
        return c->depth == 0 ? push(c, (struct open_element){.is_silent = true})
                             : refuse(c, "fb:part is the root of a file", NO_TEXT);
    bool has_file = strcmp(name, "include") == 0 || strcmp(name, "style") == 0 ||
                    strcmp(name, "script") == 0;
    enum status status = only_attribute(c, has_file ? "file" : "name", &value);
    if (status != OK)
        return status;
    if (strcmp(name, "each") == 0 || strcmp(name, "if") == 0 ||
        strcmp(name, "unless") == 0) {
        enum step_kind kind = *name == 'i' ? STEP_IF : STEP_UNLESS;
        status = *name == 'e' ? open_each(c, value) : open_condition(c, value, kind);
        if (status == OK && is_empty)
            close_block(c, c->open[--c->depth].step);
        return status;
    }
    if (strcmp(name, "slot") == 0)
        status = add_slot(c, value, STEP_SLOT);
    else if (strcmp(name, "value") == 0)
        status = add_slot(c, value, STEP_VALUE);
    else if (strcmp(name, "include") == 0)
        status = compile_file(c, value.ptr);
    else if (strcmp(name, "style") == 0)
        status = add_raw(c, name, value, &c->template->style_hash);
    else if (strcmp(name, "script") == 0)
        status = add_raw(c, name, value, &c->template->script_hash);
    else
        status = refuse(c, "there is no such fb: element", text_from(name));
    if (status == OK && !is_empty)
        status = push(c, (struct open_element){.is_silent = true});
    return status;
}

/* "a {slot} b": the literal parts as text, the slots as slots. */
static enum status add_attribute_value(struct compiler *c, struct text value)
{
    while (value.len) {
        const char *open = memchr(value.ptr, '{', value.len);
        size_t plain = open ? (size_t)(open - value.ptr) : value.len;
        if (plain)
            add_words(c->template, STEP_TEXT, text_slice(value, 0, plain));
        if (!open)
            return OK;
        const char *close = memchr(open, '}', value.len - plain);
        if (!close)
            return refuse(c, "a { in an attribute has no }", value);
        enum status status = add_slot(
            c, (struct text){open + 1, (size_t)(close - open - 1)}, STEP_ATTRIBUTE);
        if (status != OK)
            return status;
        value = text_slice(value, (size_t)(close - value.ptr) + 1, SIZE_MAX);
    }
    return OK;
}

/* Attributes whose value is read or heard; data-word-* are those of the page's script. */
static bool is_read_by_people(struct text attribute)
{
    static const char *const names[] = {"title", "alt", "aria-label", "placeholder",
                                        "label"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_equal(attribute, text_from(names[i])))
            return true;
    return text_starts_with_fold(attribute, TEXT_LITERAL("data-word-"));
}

/* In the arena of the template. */
static struct text translated(struct compiler *c, struct text words)
{
    struct buffer out = {0};
    words_add(&c->template->words, &out, words, c->name, current_line(c));
    struct text copy = arena_copy(&c->template->arena, buffer_text(&out));
    buffer_release(&out);
    return copy;
}

static enum status add_attributes(struct compiler *c)
{
    enum status status = OK;
    int more = xmlTextReaderMoveToFirstAttribute(c->reader);
    for (; more == 1 && status == OK;
         more = xmlTextReaderMoveToNextAttribute(c->reader)) {
        if (xmlTextReaderIsNamespaceDecl(c->reader) == 1)
            continue;
        struct text name = reader_text(xmlTextReaderConstName(c->reader));
        if (name.len > 2 && text_starts_with_fold(name, TEXT_LITERAL("on")))
            return refuse(c, "event handlers are refused", name);
        add_words(c->template, STEP_ATTRIBUTE, name);
        struct text value = reader_text(xmlTextReaderConstValue(c->reader));
        status = add_attribute_value(c, is_read_by_people(name) ? translated(c, value)
                                                                : value);
        add_step(c->template, STEP_ATTRIBUTE_END);
    }
    xmlTextReaderMoveToElement(c->reader);
    return status;
}

static void close_element(struct compiler *c, const char *name)
{
    add_step(c->template, STEP_ELEMENT_END)->is_void = is_void(name);
}

static enum status open_xhtml(struct compiler *c, const char *local_name)
{
    const char *name = arena_copy(&c->template->arena, text_from(local_name)).ptr;
    if (is_raw(element_around(c)))
        return refuse(c, "no element can stand in a style or script", text_from(name));
    bool is_empty = xmlTextReaderIsEmptyElement(c->reader) == 1;
    add_words(c->template, STEP_ELEMENT, text_from(name));
    if (strcmp(name, "html") == 0) {
        add_words(c->template, STEP_ATTRIBUTE, TEXT_LITERAL("xmlns"));
        add_words(c->template, STEP_TEXT, TEXT_LITERAL(XHTML_NAMESPACE));
        add_step(c->template, STEP_ATTRIBUTE_END);
    }
    xmlChar *translate =
        xmlTextReaderGetAttribute(c->reader, (const xmlChar *)"translate");
    bool verbatim = text_equal(reader_text(translate), TEXT_LITERAL("no"));
    xmlFree(translate);
    enum status status = add_attributes(c);
    if (status != OK)
        return status;
    if (!is_empty)
        return is_void(name)
                   ? refuse(c, "this element is empty in HTML", text_from(name))
                   : push(c,
                          (struct open_element){.name = name, .is_verbatim = verbatim});
    close_element(c, name);
    return OK;
}

static enum status read_element(struct compiler *c)
{
    const char *space = (const char *)xmlTextReaderConstNamespaceUri(c->reader);
    const char *name = (const char *)xmlTextReaderConstLocalName(c->reader);
    if (space && strcmp(space, TEMPLATE_NAMESPACE) == 0)
        return open_own(c, name);
    if (space && strcmp(space, XHTML_NAMESPACE) == 0)
        return open_xhtml(c, name);
    return refuse(c, "an element that is neither XHTML nor the template's own",
                  text_from(name));
}

static void read_element_end(struct compiler *c)
{
    struct open_element element = c->open[--c->depth];
    if (element.is_block)
        close_block(c, element.step);
    else if (!element.is_silent)
        close_element(c, element.name);
}

/* What a program wants or says is the same in every language. */
static bool is_verbatim(const struct compiler *c)
{
    static const char *const names[] = {"code", "kbd", "samp"};
    for (size_t i = 0; i < c->depth; i++) {
        const struct open_element *element = &c->open[i];
        for (size_t k = 0; element->name && k < sizeof names / sizeof *names; k++)
            if (strcmp(element->name, names[k]) == 0)
                return true;
        if (element->is_verbatim)
            return true;
    }
    return false;
}

static enum status read_text(struct compiler *c)
{
    struct text words = reader_text(xmlTextReaderConstValue(c->reader));
    bool raw = is_raw(element_around(c));
    if (raw && !raw_is_safe(words))
        return refuse(c, "a style or script holds no <, &, ]]>", NO_TEXT);
    if (raw || is_verbatim(c))
        add_words(c->template, raw ? STEP_RAW : STEP_TEXT, words);
    else
        add_words(c->template, STEP_TEXT, translated(c, words));
    return OK;
}

static enum status read_node(struct compiler *c)
{
    switch (xmlTextReaderNodeType(c->reader)) {
    case XML_READER_TYPE_ELEMENT: return read_element(c);
    case XML_READER_TYPE_END_ELEMENT: read_element_end(c); return OK;
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
    case XML_READER_TYPE_WHITESPACE:
    case XML_READER_TYPE_SIGNIFICANT_WHITESPACE: return c->depth ? read_text(c) : OK;
    case XML_READER_TYPE_COMMENT: return OK;
    case XML_READER_TYPE_DOCUMENT_TYPE: {
        /* not xmlTextReaderCurrentDoc(): the document would then be ours to free */
        xmlDtdPtr dtd = (xmlDtdPtr)xmlTextReaderCurrentNode(c->reader);
        if (dtd && (dtd->children || dtd->ExternalID || dtd->SystemID))
            return refuse(c, "a DOCTYPE here is <!DOCTYPE html>, without declarations",
                          NO_TEXT);
        return OK;
    }
    case XML_READER_TYPE_ENTITY_REFERENCE:
        return refuse(c, "entities are refused; write the character itself", NO_TEXT);
    default: return refuse(c, "only elements, text and comments are taken", NO_TEXT);
    }
}

static void keep_complaint(void *context, const char *message,
                           xmlParserSeverities severity,
                           xmlTextReaderLocatorPtr locator)
{
    struct compiler *c = context;
    (void)severity;
    if (c->error_line)
        return;
    int line = xmlTextReaderLocatorLineNumber(locator);
    c->error_line = line > 0 ? line : 1;
    snprintf(c->complaint, sizeof c->complaint, "%s", message);
    c->complaint[strcspn(c->complaint, "\n")] = '\0';
}

static enum status read_nodes(struct compiler *c)
{
    enum status status = OK;
    int more;
    while (status == OK && (more = xmlTextReaderRead(c->reader)) == 1 && !c->error_line)
        status = read_node(c);
    if (status != OK)
        return status;
    if (more != 0 || c->error_line)
        return refuse(c, "not well-formed",
                      c->complaint[0] ? text_from(c->complaint) : TEXT_LITERAL("XML"));
    return OK;
}

/* The steps of one file, added where the outer one stands. Scopes stay open across files. */
static enum status compile_file(struct compiler *outer, const char *name)
{
    if (outer->include_depth == INCLUDE_DEPTH)
        return refuse(outer, "files include one another too deep", text_from(name));
    struct compiler *c = memory_get_zeroed(1, sizeof *c);
    c->template = outer->template;
    c->name = name;
    c->include_depth = outer->include_depth + 1;
    c->scope_count = outer->scope_count;
    c->err = outer->err;
    memcpy(c->scopes, outer->scopes, sizeof c->scopes);
    struct buffer text = {0};
    enum status status = read_file(c->template, name, &text, &c->file, c->err);
    if (status == OK) {
        c->reader = xmlReaderForMemory(text.ptr, (int)text.len, c->file, "UTF-8",
                                       XML_PARSE_NONET);
        if (!c->reader)
            status = fail(c->err, FAILED, NOWHERE, "%s: the template cannot be read",
                          c->file);
    }
    if (status == OK) {
        xmlTextReaderSetErrorHandler(c->reader, keep_complaint, c);
        status = note_file(c, name);
    }
    if (status == OK)
        status = read_nodes(c);
    xmlFreeTextReader(c->reader);
    buffer_release(&text);
    free(c);
    return status;
}

/* de.po of the lab's folder or the built-in one; English is in the templates. */
static enum status open_words(struct compiler *c, const char *language)
{
    struct template *t = c->template;
    struct text name = text_from(language ? language : "en");
    struct buffer content = {0};
    const char *shown;
    t->words.arena = &t->arena;
    t->words_language = arena_copy(&t->arena, name);
    if (text_equal(name, TEXT_LITERAL("en")))
        return OK;
    if (!words_is_language(name))
        return fail(c->err, FAILED, NOWHERE,
                    "\"%s\" is no name of a language: en, de, ...", language);
    const char *file = arena_printf(&t->arena, "%s.po", language).ptr;
    enum status status = read_file(t, file, &content, &shown, c->err);
    if (status == OK)
        status = words_read(&t->words, text_from(shown), buffer_text(&content), c->err);
    if (status == OK)
        status = note_file(c, file);
    buffer_release(&content);
    return status;
}

enum status template_open(struct template **opened, const char *name,
                          const char *directory,
                          const struct template_language *language, const char *words,
                          struct error *err)
{
    struct template *t = memory_get_zeroed(1, sizeof *t);
    t->language = language;
    t->directory = directory;
    struct compiler *outside = memory_get_zeroed(1, sizeof *outside);
    outside->template = t;
    outside->file = name;
    outside->err = err;
    enum status status = open_words(outside, words);
    if (status == OK)
        status = compile_file(outside, name);
    free(outside);
    if (status != OK) {
        template_close(t);
        t = NULL;
    }
    *opened = t;
    return status;
}

void template_close(struct template *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->file_count; i++)
        free(t->files[i]);
    words_release(&t->words);
    arena_release(&t->arena);
    free(t->steps);
    free(t);
}

size_t template_list_words(const struct template *t, struct buffer *out)
{
    return words_list(&t->words, t->words_language, out);
}

struct text template_style_hash(const struct template *t)
{
    return t->style_hash.ptr ? t->style_hash : TEXT_LITERAL("");
}

struct text template_script_hash(const struct template *t)
{
    return t->script_hash.ptr ? t->script_hash : TEXT_LITERAL("");
}

/* --- running */

struct runner {
    const struct template *template;
    struct page *page;
    struct markup markup;
    struct buffer value;
};

/* Has the slot text, or something to draw? The text is in r->value then. */
static bool fill(struct runner *r, const struct slot *slot)
{
    buffer_clear(&r->value);
    if (slot->draw)
        return slot->draw(r->page, NULL);
    if (slot->add)
        slot->add(r->page, &r->value);
    else
        slot->add_field(r->page, slot->field, &r->value);
    return r->value.len > 0;
}

static void write_slot(struct runner *r, const struct slot *slot, bool as_value)
{
    if (!fill(r, slot))
        return;
    if (slot->draw)
        slot->draw(r->page, &r->markup);
    else if (as_value)
        markup_value(&r->markup, buffer_text(&r->value));
    else if (slot->kind == SLOT_LINES)
        markup_lines(&r->markup, buffer_text(&r->value));
    else
        markup_text(&r->markup, buffer_text(&r->value));
}

/* One step; returns the next one. */
static size_t run_step(struct runner *r, size_t at)
{
    const struct step *s = &r->template->steps[at];
    struct markup *m = &r->markup;
    switch (s->kind) {
    case STEP_ELEMENT: markup_open(m, s->words.ptr); break;
    case STEP_ELEMENT_END: markup_close(m, s->is_void); break;
    case STEP_ATTRIBUTE: markup_open_attribute(m, s->words.ptr); break;
    case STEP_ATTRIBUTE_END: markup_close_attribute(m); break;
    case STEP_TEXT: markup_plain(m, s->words.ptr); break;
    case STEP_RAW: markup_raw(m, s->words.ptr); break;
    case STEP_SLOT:
    case STEP_VALUE: write_slot(r, s->slot, s->kind == STEP_VALUE); break;
    case STEP_EACH: return s->loop->next(r->page, true) ? at + 1 : s->jump;
    case STEP_EACH_END: return s->loop->next(r->page, false) ? s->jump : at + 1;
    case STEP_IF: return fill(r, s->slot) ? at + 1 : s->jump;
    case STEP_UNLESS: return fill(r, s->slot) ? s->jump : at + 1;
    }
    return at + 1;
}

enum status template_run(const struct template *t, struct page *page,
                         struct output *out, struct error *err)
{
    struct runner r = {.template = t, .page = page};
    if (markup_init(&r.markup, out, err) != OK)
        return FAILED;
    output_add_text(out, TEXT_LITERAL("<!DOCTYPE html>\n"));
    for (size_t at = 0; at < t->count && !r.markup.failed && !stop_requested();)
        at = run_step(&r, at);
    bool failed = r.markup.failed;
    markup_release(&r.markup);
    output_add_text(out, TEXT_LITERAL("\n"));
    buffer_release(&r.value);
    if (stop_requested())
        return fail(err, FAILED, NOWHERE, "stopped while writing the page");
    return failed ? fail(err, FAILED, NOWHERE, "libxml2 could not write the page") : OK;
}
