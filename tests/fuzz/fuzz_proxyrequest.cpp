// SPDX-License-Identifier: MIT
// A program says arbitrary bytes to its proxy. Whatever is taken for a request goes to its host in
// one form that can only be read one way. The first byte says how the rest is cut.
#include "engine/http/headparser.h"
#include "engine/proxy/filterednetwork.h"
#include "engine/proxy/messages.h"
#include "engine/proxy/resolver.h"
#include "tests/engine/proxy/memorystream.h"

#include <QCoreApplication>
#include <QPointer>

#include <cstdlib>

using namespace isol8;
using namespace isol8::proxy;
using namespace isol8::test;

namespace {

/// No name exists.
class EmptyResolver final : public Resolver {
public:
    Task<QList<QHostAddress>> resolve(QString, std::chrono::milliseconds, CancelToken) override
    {
        co_return failure(Kind::NotFound, QStringLiteral("no such name"));
    }
};

void require(bool condition)
{
    if (!condition)
        std::abort();
}

void checkHeadForHost(const QByteArray& bytes)
{
    http::HttpLimits limits;
    limits.maxHeaderFields = 100'000;
    http::HeadScanner scanner(limits);
    const auto size = scanner.scan(bytes);
    if (!size || *size == 0)
        return;
    const auto request = parseProxyRequest(bytes.first(*size), limits);
    if (!request)
        return;
    require(hostNameFromText(request->target.host.inUrl()) == request->target.host);
    if (request->isConnect())
        return;
    const auto head = headForHost(*request);
    http::HeadScanner again(limits);
    require(again.scan(head) == head.size());
    const auto parsed = http::parseHead(head, limits, http::TargetForm::Any);
    require(parsed.has_value());
    require(parsed->method == request->head.method && parsed->target == request->path);
    require(parsed->headers("Host").size() == 1);
    require(parsed->isChunked == request->head.isChunked);
    require(parsed->contentLength == request->head.contentLength);
    require(parsed->isUpgrade == request->head.isUpgrade);
    for (const auto& field : parsed->fields)
        require(!field.name.toLower().startsWith("proxy-"));
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments)
{
    static QCoreApplication application(*count, *arguments);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    const qsizetype pieceBytes = 1 + data[0] * 5;
    const QByteArray bytes(
        reinterpret_cast<const char*>(data) + 1, static_cast<qsizetype>(size) - 1);
    checkHeadForHost(bytes);

    NetworkFilter filter;
    filter.deny = { QStringLiteral("^evil") };
    FilteredNetworkSettings settings;
    settings.isLogged = true;
    settings.resolver = std::make_shared<EmptyResolver>();
    settings.localAddresses = [] { return QList<QHostAddress>(); };
    // Nothing may be connected to: only names are left, and there are none.
    filter.deny << QStringLiteral("^[0-9a-f:.]*$");
    auto network = FilteredNetwork::create(filter, settings);
    require(network.has_value());
    auto stream = std::make_unique<MemoryStream>();
    const QPointer<MemoryStream> program = stream.get();
    (*network)->accept(std::move(stream));
    QByteArray answers;
    for (qsizetype at = 0; at < bytes.size() && program; at += pieceBytes) {
        program->say(bytes.mid(at, pieceBytes));
        QCoreApplication::processEvents();
        if (program)
            answers = program->written;
    }
    if (program)
        program->end();
    QCoreApplication::processEvents();
    if (program)
        answers = program->written;
    require(answers.isEmpty() || answers.startsWith("HTTP/1.1 "));
    require(answers.size() <= 2000 + 100 * bytes.size());
    require((*network)->bytesOut() == 0);
    network->reset();
    QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    return 0;
}
