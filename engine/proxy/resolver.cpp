// SPDX-License-Identifier: MIT
#include "engine/proxy/resolver.h"

#include "engine/core/completion.h"
#include "engine/core/hostname.h"
#include "engine/core/smallfile.h"

#include <QCoreApplication>
#include <QHostInfo>
#include <QTimer>

#include <algorithm>
#include <deque>

namespace isol8::proxy {

using namespace Qt::StringLiterals;
using Addresses = QList<QHostAddress>;

namespace {

constexpr qint64 maxHostsBytes = 1 << 20;

Error notFound(const QString& name)
{
    return { Kind::NotFound, u"the name %1 cannot be resolved"_s.arg(name) };
}

/// What hosts(5) says about @p name.
Addresses fromHostsFile(const QString& path, const QString& name)
{
    Addresses addresses;
    const auto content = readSmallFile(path, maxHostsBytes);
    if (!content)
        return addresses;
    for (const auto& line : content->split('\n')) {
        const auto words = line.first(line.indexOf('#') < 0 ? line.size() : line.indexOf('#'))
                               .simplified()
                               .split(' ');
        const QHostAddress address(QString::fromLatin1(words.constFirst()));
        const bool isNamed = std::any_of(words.begin() + 1, words.end(), [&name](const auto& word) {
            return name.compare(QLatin1StringView(word), Qt::CaseInsensitive) == 0;
        });
        if (isNamed && !address.isNull())
            addresses.append(address);
    }
    return addresses;
}

/// Without a context object, so that the answer comes also when nobody waits for it any more.
void lookUpWithQt(const QString& name, const SystemResolver::Answer& answer)
{
    QHostInfo::lookupHost(name + u'.', qApp, [name, answer](const QHostInfo& info) {
        if (info.error() != QHostInfo::NoError || info.addresses().isEmpty())
            answer(std::unexpected(notFound(name)));
        else
            answer(info.addresses());
    });
}

} // namespace

struct SystemResolver::State : std::enable_shared_from_this<SystemResolver::State> {
    struct Waiting {
        QString name;
        Completion<Addresses> found;
    };

    int maxLookups = 1;
    QString hostsFile;
    Lookup lookUp;
    int running = 0;
    std::deque<Waiting> waiting;

    void startNext()
    {
        while (running < maxLookups && !waiting.empty()) {
            const auto next = std::move(waiting.front());
            waiting.pop_front();
            if (next.found.isDelivered()) // Given up while it waited.
                continue;
            ++running;
            lookUp(next.name,
                [self = weak_from_this(), found = next.found](const Result<Addresses>& answer) {
                    if (const auto state = self.lock()) {
                        --state->running;
                        state->startNext();
                    }
                    found.deliver(answer);
                });
        }
    }
};

namespace {

Task<Addresses> waitFor(Completion<Addresses> found, QString name,
    std::chrono::milliseconds timeout, CancelToken cancel)
{
    QTimer timer;
    timer.setSingleShot(true);
    QObject::connect(&timer, &QTimer::timeout, &timer, [found, name] {
        found.fail({ Kind::Timeout, u"resolving the name %1 takes too long"_s.arg(name) });
    });
    timer.start(timeout);
    const auto linked = cancel.onCancel([found] { found.fail(cancelled()); });
    co_return co_await found.wait();
}

} // namespace

SystemResolver::SystemResolver(int maxLookups, QString hostsFile, Lookup lookup)
    : m_state(std::make_shared<State>())
{
    m_state->maxLookups = maxLookups;
    m_state->hostsFile = std::move(hostsFile);
    m_state->lookUp = lookup ? std::move(lookup) : lookUpWithQt;
}

Task<Addresses> SystemResolver::resolve(
    QString name, std::chrono::milliseconds timeout, CancelToken cancel)
{
    const Completion<Addresses> found;
    const auto known = fromHostsFile(m_state->hostsFile, name);
    if (!known.isEmpty()) {
        found.deliver(known);
    } else {
        m_state->waiting.push_back({ name, found });
        m_state->startNext();
    }
    return waitFor(found, name, timeout, cancel);
}

} // namespace isol8::proxy
