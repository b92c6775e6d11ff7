// SPDX-License-Identifier: MIT
#include "engine/sandbox/imagecatalog.h"

#include "engine/images/imagename.h"

namespace isol8 {

using namespace Qt::StringLiterals;

struct ImageCatalog::State {
    std::shared_ptr<docker::Client> client;
    bool isRemembering = false;
    quint64 generation = 0; ///< Counts the changes.
    QHash<QString, Result<docker::ImageDetails>> known; ///< Also that there is none.
};

namespace {

using StatePointer = std::shared_ptr<ImageCatalog::State>;

constexpr qsizetype maxKnown = 256;

Task<docker::ImageDetails> find(StatePointer state, QString name, CancelToken cancel)
{
    if (const auto known = state->known.constFind(name); known != state->known.cend())
        co_return *known;
    const auto generation = state->generation;
    auto details = co_await state->client->inspectImage(name, cancel);
    const bool isAnswer = details || details.error().kind == Kind::NotFound;
    if (isAnswer && state->isRemembering && generation == state->generation
        && state->known.size() < maxKnown)
        state->known.insert(name, details);
    co_return details;
}

Task<ImageChoice> chooseImage(
    StatePointer state, Runtime runtime, QString asked, CancelToken cancel)
{
    const auto name = asked.isEmpty() ? baseImageTag(runtime) : asked;
    auto finding = find(state, name, cancel);
    if (asked.isEmpty()) {
        auto custom = co_await find(state, customImageTag(runtime), cancel);
        if (custom)
            co_return ImageChoice { customImageTag(runtime), std::move(*custom) };
    }
    auto details = co_await finding;
    if (details)
        co_return ImageChoice { name, std::move(*details) };
    if (details.error().kind != Kind::NotFound)
        co_return std::unexpected(details.error());
    co_return failure(Kind::NotFound,
        u"there is no image %1 (run `isol8 setup`, or build or pull it)"_s.arg(name));
}

} // namespace

ImageCatalog::ImageCatalog(std::shared_ptr<docker::Client> client)
    : m_state(std::make_shared<State>(State { .client = std::move(client), .known = {} }))
{
}

ImageCatalog::~ImageCatalog() = default;

Task<ImageChoice> ImageCatalog::choose(Runtime runtime, QString asked, CancelToken cancel)
{
    return chooseImage(m_state, runtime, std::move(asked), std::move(cancel));
}

void ImageCatalog::setRemembering(bool isRemembering)
{
    m_state->isRemembering = isRemembering;
    forget();
}

void ImageCatalog::forget()
{
    ++m_state->generation;
    m_state->known.clear();
}

} // namespace isol8
