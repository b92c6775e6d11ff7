// SPDX-License-Identifier: MIT
// A host answers with arbitrary bytes. What the program gets is one well-formed answer, or none, or
// one that is visibly cut off. The first byte says how the rest is cut, the second who asked.
#include "engine/proxy/httprelay.h"
#include "tests/engine/proxy/memorystream.h"

#include <QCoreApplication>

#include <cstdlib>

using namespace isol8;
using namespace isol8::proxy;
using namespace isol8::test;

namespace {

void require(bool condition)
{
    if (!condition)
        std::abort();
}

QByteArray requestHead(std::uint8_t kind)
{
    QByteArray head = (kind & 1) ? "HEAD" : "GET";
    head += " http://a.test/ HTTP/1.";
    head += (kind & 2) ? "0" : "1";
    head += "\r\nHost: a.test\r\n";
    if (kind & 4)
        head += "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    return head + "\r\n";
}

/// The program's reader agrees with the proxy on where the answer ends.
void checkAnswer(QByteArray bytes, const ProxyRequest& request, bool isClosing)
{
    http::HttpLimits limits;
    limits.maxHeaderBytes = 1 << 24;
    limits.maxHeaderFields = 1 << 20;
    for (;;) {
        http::HeadScanner scanner(limits);
        const auto size = scanner.scan(bytes);
        require(size && *size > 0);
        const auto head = http::parseResponseHead(bytes.first(*size), limits);
        require(head.has_value());
        bytes.remove(0, *size);
        if (head->isInterim())
            continue;
        require(head->status != 101);
        if (!head->hasBody(request.head.method))
            return require(bytes.isEmpty());
        http::BodyDecoder body(head->framing, head->contentLength.value_or(0));
        const auto taken = body.feed(bytes);
        require(taken && *taken == bytes.size());
        require(body.isComplete() || (isClosing && body.finish()));
        return;
    }
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments)
{
    static QCoreApplication application(*count, *arguments);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size < 2)
        return 0;
    const qsizetype pieceBytes = 1 + data[0] * 5;
    const auto request = parseProxyRequest(requestHead(data[1]), http::HttpLimits {});
    require(request.has_value());
    const QByteArray bytes(
        reinterpret_cast<const char*>(data) + 2, static_cast<qsizetype>(size) - 2);

    auto rules = NetworkRules::create({});
    require(rules.has_value());
    const auto network = std::make_shared<NetworkState>(
        std::move(*rules), NetworkLog(false), ProxyLimits {}, nullptr);
    MemoryStream program;
    const auto host = std::make_shared<MemoryStream>();
    HttpRelay relay(network, *request, program, host);
    std::optional<HttpRelay::Ending> ending;
    QObject::connect(
        &relay, &HttpRelay::finished, &relay, [&ending](HttpRelay::Ending how) { ending = how; });
    relay.start();
    for (qsizetype at = 0; at < bytes.size() && !ending; at += pieceBytes) {
        host->say(bytes.mid(at, pieceBytes));
        QCoreApplication::processEvents();
    }
    host->end();
    QCoreApplication::processEvents();
    require(ending.has_value());
    if (*ending == HttpRelay::Ending::Answered)
        checkAnswer(program.written, *request, !relay.mayGoOn());
    else if (*ending == HttpRelay::Ending::NotAnswered)
        require(relay.error().httpStatus == 502);
    require(program.written.size() <= 1000 + 10 * bytes.size());
    return 0;
}
