// SPDX-License-Identifier: MIT
#include "app/serve/openapischemas.h"

#include "engine/core/names.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace isol8::serve {

using namespace Qt::StringLiterals;

namespace {

// JSON Schema 2020-12, as OpenAPI 3.1 has it. `Runtime`, `EndReason` and the like are added from
// the code's own names.

constexpr QByteArrayView callSchemas = R"({
"ExecuteCall": {"type": "object", "required": ["request"], "properties": {
    "request": {"$ref": "#/components/schemas/ExecutionRequest"},
    "options": {"$ref": "#/components/schemas/ExecutionOptions"},
    "sessionId": {"$ref": "#/components/schemas/SessionId"}}},
"SessionId": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$",
    "description": "Names a session of the key's tenant; the first run in it makes it."},
"ExecutionRequest": {"type": "object",
    "description": "Exactly one of code, cmd and codeUrl.",
    "oneOf": [{"required": ["code"]}, {"required": ["cmd"]}, {"required": ["codeUrl"]}],
    "properties": {
    "code": {"type": "string"},
    "cmd": {"type": "string", "description": "Run through bash -c."},
    "codeUrl": {"type": "string", "format": "uri"},
    "codeHash": {"type": "string", "description": "SHA-256 of what codeUrl gives, hexadecimal."},
    "allowInsecureCodeUrl": {"type": "boolean"},
    "runtime": {"$ref": "#/components/schemas/Runtime"},
    "timeoutMs": {"type": "integer", "minimum": 1},
    "env": {"type": "object", "additionalProperties": {"type": "string"}},
    "args": {"type": "array", "items": {"type": "string"}},
    "fileExtension": {"type": "string"},
    "stdin": {"type": "string"},
    "files": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/FileValue"}},
    "outputPaths": {"type": "array", "items": {"type": "string"}},
    "installPackages": {"type": "array", "items": {"type": "string"}},
    "setupScript": {"type": "string"},
    "workdir": {"type": "string"},
    "agentFlags": {"type": "string"},
    "tty": {"type": "boolean"},
    "metadata": {"type": "object"}}},
"FileValue": {"oneOf": [
    {"type": "string"},
    {"type": "object", "required": ["base64"], "properties": {
        "base64": {"type": "string", "contentEncoding": "base64"}}},
    {"type": "object", "required": ["type", "data"], "properties": {
        "type": {"const": "Buffer"},
        "data": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 255}}}}]},
"Size": {"description": "Bytes, or a text such as 512m.",
    "oneOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]},
"ExecutionOptions": {"type": "object",
    "description": "What is not given is as the server's configuration says, which also caps it.",
    "properties": {
    "mode": {"$ref": "#/components/schemas/Mode"},
    "network": {"$ref": "#/components/schemas/NetworkMode"},
    "networkFilter": {"type": "object", "properties": {
        "whitelist": {"type": "array", "items": {"type": "string"}},
        "blacklist": {"type": "array", "items": {"type": "string"}}}},
    "logNetwork": {"type": "boolean"},
    "cpuLimit": {"type": "number", "exclusiveMinimum": 0},
    "memoryLimit": {"$ref": "#/components/schemas/Size"},
    "pidsLimit": {"type": "integer", "minimum": 1},
    "readonlyRootFs": {"type": "boolean"},
    "maxOutputSize": {"$ref": "#/components/schemas/Size"},
    "sandboxSize": {"$ref": "#/components/schemas/Size"},
    "tmpSize": {"$ref": "#/components/schemas/Size"},
    "secrets": {"type": "object", "additionalProperties": {"type": "string"},
        "description": "Environment variables whose values are masked in all output."},
    "timeoutMs": {"type": "integer", "minimum": 1},
    "image": {"type": "string"},
    "persist": {"type": "boolean"},
    "security": {"type": "object", "properties": {
        "seccomp": {"$ref": "#/components/schemas/SeccompMode"}}}}},
"ClientMessage": {"type": "object", "required": ["type"], "properties": {
    "type": {"enum": ["execute", "stdin", "signal", "resize"]},
    "request": {"$ref": "#/components/schemas/ExecutionRequest"},
    "options": {"$ref": "#/components/schemas/ExecutionOptions"},
    "sessionId": {"$ref": "#/components/schemas/SessionId"},
    "data": {"type": "string"},
    "eof": {"type": "boolean"},
    "signal": {"enum": ["SIGINT", "SIGTERM", "SIGKILL"]},
    "rows": {"type": "integer"},
    "cols": {"type": "integer"}}},
"FileUpload": {"type": "object", "required": ["sessionId", "path", "content"], "properties": {
    "sessionId": {"$ref": "#/components/schemas/SessionId"},
    "path": {"type": "string"},
    "content": {"type": "string", "contentEncoding": "base64"}}},
"CleanupCall": {"type": "object", "properties": {
    "images": {"type": "boolean", "default": false}}},
"KeyCall": {"type": "object", "required": ["name"], "properties": {
    "name": {"type": "string", "maxLength": 128},
    "tenantId": {"type": "string", "maxLength": 128},
    "ttlMs": {"type": "integer", "minimum": 1}}},
"LoginCall": {"type": "object", "properties": {
    "name": {"type": "string", "maxLength": 128},
    "tenantId": {"type": "string", "maxLength": 128},
    "ttlMs": {"type": "integer", "minimum": 1}}}
})";

constexpr QByteArrayView answerSchemas = R"({
"Error": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}},
"Ok": {"type": "object", "required": ["ok"], "properties": {"ok": {"const": true}}},
"Health": {"type": "object", "required": ["status", "version"], "properties": {
    "status": {"const": "ok"}, "version": {"type": "string"}}},
"ExecutionResult": {"type": "object",
    "required": ["stdout", "stderr", "exitCode", "durationMs", "truncated", "executionId", "runtime",
        "timestamp", "containerId", "ending"],
    "properties": {
    "stdout": {"type": "string"},
    "stderr": {"type": "string"},
    "exitCode": {"type": "integer"},
    "durationMs": {"type": "integer"},
    "truncated": {"type": "boolean"},
    "executionId": {"type": "string", "format": "uuid"},
    "runtime": {"$ref": "#/components/schemas/Runtime"},
    "timestamp": {"type": "string", "format": "date-time"},
    "containerId": {"type": "string"},
    "files": {"type": "object", "additionalProperties": {
        "type": "string", "contentEncoding": "base64"}},
    "missingFiles": {"type": "array", "items": {"type": "string"}},
    "resourceUsage": {"type": "object", "properties": {
        "cpuPercent": {"type": "number"},
        "memoryMB": {"type": "number"},
        "peakMemoryMB": {"type": "number"},
        "networkBytesIn": {"type": "integer"},
        "networkBytesOut": {"type": "integer"}}},
    "networkLogs": {"type": "array", "items": {"type": "object", "properties": {
        "timestamp": {"type": "string", "format": "date-time"},
        "method": {"type": "string"},
        "host": {"type": "string"},
        "path": {"type": ["string", "null"]},
        "action": {"enum": ["ALLOW", "BLOCK"]},
        "durationMs": {"type": "number"},
        "rule": {"type": "string"}}}},
    "ending": {"type": "object", "required": ["reason"], "properties": {
        "reason": {"$ref": "#/components/schemas/EndReason"},
        "limit": {"type": "string"},
        "value": {"type": "string"}}},
    "timedOut": {"type": "boolean"},
    "oomKilled": {"type": "boolean"},
    "signal": {"type": "string"},
    "cpuMs": {"type": "number"},
    "phasesMs": {"type": "object", "properties": {
        "queue": {"type": "number"},
        "acquire": {"type": "number"},
        "install": {"type": "number"},
        "setup": {"type": "number"},
        "run": {"type": "number"}}},
    "imageDigest": {"type": "string"},
    "violations": {"type": "array", "items": {"type": "object", "properties": {
        "kind": {"type": "string"},
        "detail": {"type": "string"},
        "allowWith": {"type": "string"}}}}}},
"StreamEvent": {"type": "object", "required": ["type", "data"], "properties": {
    "type": {"enum": ["stdout", "stderr", "exit", "error"]},
    "data": {"type": "string", "description": "Of exit: the exit code."},
    "phase": {"enum": ["install", "setup", "code"]},
    "executionId": {"type": "string", "format": "uuid"},
    "status": {"type": "integer", "description": "Of an error that ends the execution: the HTTP status that an answer would have."}}},
"Execution": {"type": "object", "required": ["id", "state", "runtime", "createdAt"], "properties": {
    "id": {"type": "string", "format": "uuid"},
    "state": {"enum": ["queued", "running", "finished"]},
    "runtime": {"$ref": "#/components/schemas/Runtime"},
    "createdAt": {"type": "string", "format": "date-time"},
    "result": {"$ref": "#/components/schemas/ExecutionResult"},
    "error": {"type": "string"}}},
"FileContent": {"type": "object", "required": ["content"], "properties": {
    "content": {"type": "string", "contentEncoding": "base64"}}},
"DirectoryListing": {"type": "object", "required": ["files"], "properties": {
    "files": {"type": "array", "items": {"type": "object", "properties": {
        "name": {"type": "string"},
        "type": {"enum": ["file", "directory", "link", "other"]},
        "size": {"type": "integer"},
        "mtime": {"type": "string", "format": "date-time"},
        "mode": {"type": "string"}}}}}},
"SessionList": {"type": "object", "required": ["sessions"], "properties": {
    "sessions": {"type": "array", "items": {"type": "object", "properties": {
        "id": {"type": "string"},
        "isActive": {"type": "boolean"},
        "lastAccessedAt": {"type": "string", "format": "date-time"}}}}}},
"Removal": {"type": "object", "properties": {
    "removed": {"type": "integer"},
    "failed": {"type": "integer"},
    "errors": {"type": "array", "items": {"type": "string"}}}},
"CleanupResult": {"type": "object", "required": ["ok", "sessions", "containers"], "properties": {
    "ok": {"const": true},
    "sessions": {"$ref": "#/components/schemas/Removal"},
    "containers": {"$ref": "#/components/schemas/Removal"},
    "images": {"$ref": "#/components/schemas/Removal"}}},
"Key": {"type": "object", "required": ["id", "name", "tenantId", "createdAt", "expiresAt"],
    "properties": {
    "id": {"type": "string", "format": "uuid"},
    "name": {"type": "string"},
    "tenantId": {"type": "string"},
    "createdAt": {"type": "string", "format": "date-time"},
    "expiresAt": {"type": "string", "format": "date-time"}}},
"NewKey": {"allOf": [{"$ref": "#/components/schemas/Key"}, {"type": "object", "required": ["key"],
    "properties": {"key": {"type": "string", "description": "The key itself, shown only here."}}}]},
"KeyList": {"type": "object", "required": ["keys"], "properties": {
    "keys": {"type": "array", "items": {"$ref": "#/components/schemas/Key"}}}},
"RevokedKey": {"type": "object", "required": ["ok", "id"], "properties": {
    "ok": {"const": true}, "id": {"type": "string"}}},
"Login": {"type": "object", "required": ["token", "expiresAt", "keyId"], "properties": {
    "token": {"type": "string"},
    "expiresAt": {"type": "string", "format": "date-time"},
    "keyId": {"type": "string", "format": "uuid"}}},
"RuntimeList": {"type": "array", "items": {"type": "object", "properties": {
    "name": {"$ref": "#/components/schemas/Runtime"},
    "version": {"type": ["string", "null"]},
    "extensions": {"type": "array", "items": {"type": "string"}},
    "image": {"type": "string"},
    "imageReady": {"type": "boolean"},
    "packages": {"type": "array", "items": {"type": "string"}}}}},
"Document": {"type": "object", "required": ["openapi", "info", "paths"]}
})";

QJsonObject choice(const QStringList& names)
{
    return { { u"type"_s, u"string"_s }, { u"enum"_s, QJsonArray::fromStringList(names) } };
}

QStringList reasonNames()
{
    QStringList names;
    for (int reason = 0; reason <= int(EndReason::EngineLost); ++reason)
        names << reasonName(EndReason(reason));
    return names;
}

} // namespace

QJsonObject openApiSchemas()
{
    QJsonObject schemas;
    for (const QByteArrayView text : { callSchemas, answerSchemas }) {
        const QJsonObject part = QJsonDocument::fromJson(text.toByteArray()).object();
        Q_ASSERT(!part.isEmpty());
        for (auto each = part.begin(); each != part.end(); ++each)
            schemas.insert(each.key(), each.value());
    }
    schemas.insert(u"Runtime"_s, choice(runtimeNames()));
    schemas.insert(u"EndReason"_s, choice(reasonNames()));
    schemas.insert(u"Mode"_s, choice({ modeName(Mode::Ephemeral), modeName(Mode::Persistent) }));
    schemas.insert(u"NetworkMode"_s,
        choice({ networkModeName(NetworkMode::None), networkModeName(NetworkMode::Host),
            networkModeName(NetworkMode::Filtered) }));
    schemas.insert(u"SeccompMode"_s,
        choice({ seccompName(SeccompMode::Strict), seccompName(SeccompMode::Unconfined),
            seccompName(SeccompMode::Custom) }));
    return schemas;
}

} // namespace isol8::serve
