// SPDX-License-Identifier: MIT
// A configuration file of any content is refused with a sentence, or read into settings that
// survive being written out and read again.
#include "engine/core/settings.h"

#include <QJsonDocument>

#include <cstdint>
#include <cstdlib>

#include <sys/mman.h>
#include <unistd.h>

using namespace isol8;
using namespace Qt::StringLiterals;

namespace {

/// The configuration in @p content, by way of a file in memory.
Result<LoadedSettings> load(const QByteArray& content)
{
    static const int file = ::memfd_create("settings", MFD_CLOEXEC);
    if (::ftruncate(file, 0) != 0
        || ::pwrite(file, content.constData(), size_t(content.size()), 0) != content.size())
        std::abort();
    return loadSettingsFile(u"/proc/self/fd/%1"_s.arg(file));
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***)
{
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto loaded
        = load(QByteArray(reinterpret_cast<const char*>(data), static_cast<qsizetype>(size)));
    if (!loaded) {
        if (loaded.error().message.isEmpty())
            std::abort();
        return 0;
    }
    const auto again = load(QJsonDocument(toJson(loaded->settings)).toJson());
    if (!again || again->settings != loaded->settings || !again->warnings.isEmpty())
        std::abort();
    return 0;
}
