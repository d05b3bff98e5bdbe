CREATE TABLE conversations (
    id TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL DEFAULT '',
    has_chosen_title INTEGER NOT NULL DEFAULT 0,
    is_pinned INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    removed_at REAL,                             -- set while it can still come back
    leaf TEXT REFERENCES turns (id)
) STRICT;
CREATE TABLE turns (
    number INTEGER PRIMARY KEY,                  -- the order in which they were added
    id TEXT NOT NULL UNIQUE,
    conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    parent TEXT REFERENCES turns (id),
    state TEXT NOT NULL,
    created_at REAL NOT NULL,
    message TEXT NOT NULL,                       -- JSON of the engine's Message, paths relative to the attachments
    text TEXT NOT NULL,                          -- what a search finds; empty while the turn runs
    model TEXT NOT NULL,
    thinking INTEGER NOT NULL,
    error TEXT NOT NULL,
    reason TEXT NOT NULL,
    thought_seconds REAL NOT NULL,               -- of versions 1 and 2; now in the message
    stats TEXT                                   -- JSON of the engine's Stats
, costs TEXT NOT NULL DEFAULT '{}') STRICT;
CREATE TABLE drafts (
    conversation_id TEXT UNIQUE REFERENCES conversations (id) ON DELETE CASCADE,  -- NULL: of the new conversation
    text TEXT NOT NULL,
    parts TEXT NOT NULL                          -- JSON
, edit TEXT) STRICT;
CREATE INDEX turns_by_conversation ON turns (conversation_id);
CREATE INDEX turns_by_parent ON turns (parent);
CREATE INDEX conversations_by_leaf ON conversations (leaf);
CREATE TABLE documents (
    id TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,                         -- the name of its file
    path BLOB NOT NULL,                          -- as the system has it
    place REAL NOT NULL,                         -- in the queue
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    removed_at REAL,                             -- set while it can still come back
    details TEXT NOT NULL                        -- JSON of Details
) STRICT;
CREATE TABLE pages (
    key INTEGER PRIMARY KEY,
    document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,                     -- from 1
    state TEXT NOT NULL,
    read TEXT NOT NULL,                          -- JSON of the engine's PageText
    corrected TEXT,                              -- the same, as a person left it
    text TEXT NOT NULL,                          -- what a search finds
    UNIQUE (document_id, number)
) STRICT;
CREATE TABLE visits (
    document_id TEXT NOT NULL PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
    opened_at REAL NOT NULL,                     -- 0 for what is not listed as opened
    page INTEGER NOT NULL,                       -- that was looked at, from 1
    scale REAL NOT NULL,                         -- pixels for a point of the page; 0 fits it, -1 its width
    offers TEXT NOT NULL                         -- JSON of Offers
) STRICT;
INSERT INTO conversations (id, title, has_chosen_title, is_pinned, created_at, updated_at, removed_at, leaf) VALUES
    ('c1', '日本の天気', 1, 1, 1000.0, 1004.0, NULL, NULL),
    ('c2', '', 0, 0, 900.0, 900.0, 2000.0, NULL);
INSERT INTO turns (number, id, conversation_id, parent, state, created_at, message, text, model, thinking, error, reason, thought_seconds, stats, costs) VALUES
    (1, 'q1', 'c1', NULL, 'complete', 1000.0, '{"role":"user","parts":[{"type":"picture","path":"ab/abc/scan.png","budget":560},{"type":"video","path":"cd/cde/clip.mp4","budget":70},{"type":"sound","path":"/far/a.wav"},{"type":"text","text":"What?"}],"thought":""}', 'What?
scan.png
clip.mp4
a.wav', '', 0, '', '', 0.0, NULL, '{"pictures":[{"path":"/store/attachments/ab/abc/scan.png","budget":560,"width":1056,"height":576,"num_soft_tokens":264,"encode_ms":84.5}]}'),
    (2, 'a1', 'c1', 'q1', 'complete', 1001.0, '{"role":"assistant","steps":[{"type":"thought","text":"Hm","duration_ms":2500.0,"ended_by":"model"},{"type":"tool_call","name":"clock","arguments":{"zone":"Asia/Tokyo"},"id":"1"}]}', '', 'Gemma 4 E2B', 1, '', 'tool_calls', 0.0, '{"num_prompt_tokens":10,"num_cached_tokens":5,"num_new_tokens":7,"time_to_first_token_ms":1.5,"prefill_tokens_per_second":2.5,"decode_tokens_per_second":3.5,"peak_memory_bytes":99}', '{}'),
    (3, 'r1', 'c1', 'a1', 'complete', 1002.0, '{"role":"assistant","steps":[{"type":"returned","result":{"type":"tool_result","content":{"time":"noon"},"call_id":"1","name":"clock"},"media":[{"type":"picture","path":"ab/abc/scan.png","budget":280}],"duration_ms":3.5,"failed":false}]}', '', '', 0, '', '', 0.0, NULL, '{}'),
    (4, 'a2', 'c1', 'r1', 'running', 1003.0, '{"role":"assistant","steps":[{"type":"text","text":"Half an answer"}]}', '', 'Gemma 4 E2B', 0, '', '', 0.0, NULL, '{}'),
    (5, 'q2', 'c1', NULL, 'failed', 1004.0, '{"role":"user","parts":[{"type":"text","text":"Edited 天気"}],"thought":""}', 'Edited 天気', '', 0, 'It broke.', '', 0.0, NULL, '{}'),
    (6, 'q3', 'c2', NULL, 'complete', 900.0, '{"role":"user","parts":[{"type":"text","text":"Removed, not yet purged"}],"thought":""}', 'Removed, not yet purged', '', 0, '', '', 0.0, NULL, '{}');
INSERT INTO drafts (conversation_id, text, parts, edit) VALUES
    ('c1', 'unsent', '[{"type":"picture","path":"ab/abc/scan.png","budget":70}]', '{"turn_id":"q1","text":"What now?","parts":[{"type":"picture","path":"ab/abc/scan.png","budget":280}]}'),
    (NULL, 'of the new one', '[]', NULL);
INSERT INTO documents (id, title, path, place, state, reason, created_at, updated_at, removed_at, details) VALUES
    ('d1', 'scan.pdf', X'2F66617220617761792F7363616E2E706466', 1.5, 'waiting', '', 1000.0, 1001.0, NULL, '{"orders":{"reading":{"way":"pieces","form":"text","schema":null,"question":"","budget":null,"turned":null,"region":null,"compares":false},"pages":[1,3],"forms":["txt","pdf"],"out":"L291dA==","root":null,"is_joined":true},"info":{"path":"/far away/scan.pdf","kind":"pdf","pages":[{"number":1,"width_pt":595.0,"height_pt":842.0,"verdict":"picture","reason":"It is a picture.","turned":0,"num_characters":0,"ink":0.05,"label":"i"}],"title":"Letters"},"stamp":{"size_bytes":123,"modified_ns":456},"written":["L291dC9zY2FuLnR4dA=="],"seconds":2.5}'),
    ('d2', 'gone.pdf', X'2F676F6E652E706466', 2.0, 'failed', 'It is locked.', 900.0, 900.0, 2000.0, '{}');
INSERT INTO pages (key, document_id, number, state, read, corrected, text) VALUES
    (1, 'd1', 1, 'done', '{"number":1,"state":"done","lines":[{"text":"東京の天気","box":{"left":0.1,"top":0.1,"right":0.5,"bottom":0.12},"confidence":-0.25,"doubtful":[[0,2]],"source":"read","is_running":false,"differs":null}],"reason":"","answer":"","turned":0,"num_lines_unread":0,"num_lines_unseen":0,"receipt":null,"skew":0.5}', NULL, '東京の天気'),
    (2, 'd1', 3, 'looped', '{"number":3,"state":"looped","lines":[],"reason":"It repeats."}', '{"number":3,"state":"done","lines":[{"text":"mine"}]}', 'mine');
INSERT INTO visits (document_id, opened_at, page, scale, offers) VALUES
    ('d1', 1002.0, 3, 1.5, '[{"text":{"number":3,"state":"done","lines":[{"text":"yours"}]},"region":{"left":0.1,"top":0.1,"right":0.5,"bottom":0.25}}]');
UPDATE conversations SET leaf = 'a2' WHERE id = 'c1';
UPDATE conversations SET leaf = 'q3' WHERE id = 'c2';
PRAGMA user_version = 5;
