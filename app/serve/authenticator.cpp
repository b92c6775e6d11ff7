// SPDX-License-Identifier: MIT
#include "app/serve/authenticator.h"

#include "app/serve/keystore.h"
#include "engine/core/completion.h"

#include <QCoreApplication>
#include <QCryptographicHash>
#include <QDeadlineTimer>
#include <QHash>
#include <QTimer>

#include <map>

namespace isol8::serve {

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype maxKeyLength = 4096;
/// Answers of one address that wait at the same time; more are refused without a look at the key.
constexpr int maxDelayedOfAddress = 16;

QByteArray digest(const QByteArray& key)
{
    return QCryptographicHash::hash(key, QCryptographicHash::Sha256);
}

/// A host has a /64 of IPv6 addresses for itself, so that counts as one.
QByteArray addressGroup(const QHostAddress& peer)
{
    bool isVersion4 = false;
    const quint32 version4 = peer.toIPv4Address(&isVersion4);
    if (isVersion4)
        return "4:" + QByteArray::number(version4);
    if (peer.isNull())
        return "local";
    const Q_IPV6ADDR bytes = peer.toIPv6Address();
    return "6:" + QByteArray(reinterpret_cast<const char*>(bytes.c), 8);
}

/// What is remembered of an address.
struct Offender {
    int failures = 0;
    int delayed = 0;
    quint64 order = 0; ///< Of its last failure.
    QDeadlineTimer forget;
};

} // namespace

struct Authenticator::State {
    QByteArray masterDigest;
    std::shared_ptr<KeyStore> store;
    Limits limits;
    QHash<QByteArray, Offender> offenders;
    std::map<quint64, QByteArray> byAge; ///< Offenders by their order.
    quint64 nextOrder = 1;
    qint64 totalFailures = 0;
    int delayed = 0;
    CancelToken closing;

    void forget(const QByteArray& group)
    {
        byAge.erase(offenders.value(group).order);
        offenders.remove(group);
    }
    void dropOld()
    {
        while (!byAge.empty()) {
            const QByteArray oldest = byAge.begin()->second;
            if (offenders.size() <= limits.maxAddresses && !offenders[oldest].forget.hasExpired())
                return;
            forget(oldest);
        }
    }
    /// Counts a failed attempt; gives the time that the answer has to wait.
    std::chrono::milliseconds noteFailure(const QByteArray& group)
    {
        ++totalFailures;
        Offender& offender = offenders[group];
        byAge.erase(offender.order);
        offender.order = nextOrder++;
        offender.forget = QDeadlineTimer(limits.forgetAfter);
        ++offender.failures;
        byAge.emplace(offender.order, group);
        const int beyond = offender.failures - limits.freeFailures;
        dropOld();
        if (beyond <= 0)
            return {};
        constexpr int maxDoublings = 20;
        const std::chrono::milliseconds delay
            = limits.firstDelay * (1LL << std::min(beyond - 1, maxDoublings));
        return std::min(delay, limits.maxDelay);
    }
    void noteDelayed(const QByteArray& group, int change)
    {
        delayed += change;
        if (const auto found = offenders.find(group); found != offenders.end())
            found->delayed = std::max(0, found->delayed + change);
    }
};

namespace {

std::unexpected<Error> wrongKey()
{
    return failure(Kind::Denied, u"Invalid API key"_s, 403);
}

std::unexpected<Error> tooManyFailures()
{
    return failure(Kind::Limit, u"Too many failed attempts; try again later"_s, 429);
}

/// The one key that the header fields name.
Result<QByteArray> presentedKey(const QList<QByteArray>& authorization)
{
    if (authorization.isEmpty()
        || (authorization.size() == 1 && authorization.front().trimmed().isEmpty()))
        return failure(Kind::Denied, u"Missing Authorization header"_s, 401);
    // Two fields could mean one thing to a proxy and another to us.
    const auto key = authorization.size() == 1 ? bearerKey(authorization.front()) : std::nullopt;
    if (!key)
        return wrongKey();
    return *key;
}

Task<> delay(std::chrono::milliseconds time, CancelToken cancel, CancelToken closing)
{
    const Completion<> passed;
    const auto leave = [passed] { passed.fail(cancelled()); };
    const auto atCancel = cancel.onCancel(leave);
    const auto atClosing = closing.onCancel(leave);
    QTimer::singleShot(time, qApp, [passed] { passed.deliver({}); });
    const auto result = co_await passed.wait();
    co_return result;
}

} // namespace

/// The coroutines behind authenticate().
struct Authenticator::Steps {
    using StatePointer = std::shared_ptr<State>;

    static Task<Principal> identify(StatePointer state, QByteArray key)
    {
        const bool isMaster = isEqualInConstantTime(digest(key), state->masterDigest);
        if (isMaster)
            co_return Principal { u"default"_s, true, {} };
        if (!state->store)
            co_return wrongKey();
        const auto record = co_await state->store->find(key);
        if (!record)
            co_return std::unexpected(record.error());
        if (!*record)
            co_return wrongKey();
        co_return Principal { (*record)->tenant, false, (*record)->id };
    }

    static Task<Principal> authenticate(
        StatePointer state, QList<QByteArray> authorization, QByteArray group, CancelToken cancel)
    {
        state->dropOld();
        const auto key = presentedKey(authorization);
        if (!key && key.error().httpStatus == 401)
            co_return std::unexpected(key.error());
        if (state->offenders.value(group).delayed >= maxDelayedOfAddress)
            co_return tooManyFailures();
        Result<Principal> principal = wrongKey();
        if (key)
            principal = co_await identify(state, *key);
        if (principal || principal.error().httpStatus != 403)
            co_return principal;

        const auto time = state->noteFailure(group);
        if (time <= std::chrono::milliseconds::zero())
            co_return principal;
        if (state->delayed >= state->limits.maxDelayed)
            co_return tooManyFailures();
        state->noteDelayed(group, 1);
        const auto waited = co_await delay(time, cancel, state->closing);
        state->noteDelayed(group, -1);
        if (!waited)
            co_return std::unexpected(waited.error());
        co_return principal;
    }
};

Authenticator::Authenticator(const QByteArray& masterKey, std::shared_ptr<KeyStore> store)
    : Authenticator(masterKey, std::move(store), Limits())
{
}

Authenticator::Authenticator(
    const QByteArray& masterKey, std::shared_ptr<KeyStore> store, Limits limits)
    : m_state(std::make_shared<State>())
{
    Q_ASSERT(!masterKey.isEmpty());
    m_state->masterDigest = digest(masterKey);
    m_state->store = std::move(store);
    m_state->limits = limits;
}

Authenticator::~Authenticator()
{
    m_state->closing.cancel();
}

Task<Principal> Authenticator::authenticate(
    QList<QByteArray> authorization, QHostAddress peer, CancelToken cancel)
{
    return Steps::authenticate(
        m_state, std::move(authorization), addressGroup(peer), std::move(cancel));
}

int Authenticator::failures(const QHostAddress& peer) const
{
    m_state->dropOld();
    return m_state->offenders.value(addressGroup(peer)).failures;
}

qint64 Authenticator::totalFailures() const
{
    return m_state->totalFailures;
}

std::optional<QByteArray> bearerKey(const QByteArray& authorization)
{
    constexpr QByteArrayView scheme = "bearer ";
    if (authorization.size() <= scheme.size()
        || authorization.first(scheme.size()).compare(scheme, Qt::CaseInsensitive) != 0)
        return std::nullopt;
    const QByteArray key = authorization.sliced(scheme.size());
    const bool isVisible
        = std::ranges::all_of(key, [](char each) { return each > ' ' && each < '\x7f'; });
    if (key.size() > maxKeyLength || !isVisible)
        return std::nullopt;
    return key;
}

bool isEqualInConstantTime(const QByteArray& left, const QByteArray& right)
{
    // The lengths are no secret: both sides are digests.
    if (left.size() != right.size())
        return false;
    volatile unsigned char difference = 0;
    for (qsizetype i = 0; i < left.size(); ++i)
        difference = difference
            | static_cast<unsigned char>(
                static_cast<unsigned char>(left[i]) ^ static_cast<unsigned char>(right[i]));
    return difference == 0;
}

} // namespace isol8::serve
