// SPDX-License-Identifier: Apache-2.0

extension S3Store {
    package func topNames(atMost limit: Int) throws -> Set<[UInt8]> {
        var found: Set<[UInt8]> = []
        var continuation: String?
        let connection = try looking()
        repeat {
            let page = try connection.page(below: settings.prefix, delimiter: "/", continuation: continuation)
            for object in page.objects { found.insert(Array(object.key.bytes.dropFirst(settings.prefix.count))) }
            for prefix in page.prefixes { found.insert(Array(prefix.dropFirst(settings.prefix.count).dropLast())) }
            continuation = page.continuation
        } while continuation != nil && found.count < limit
        return found
    }

    package func holdsAnything(below folder: ObjectKey) throws -> Bool {
        let prefix = settings.prefix + folder.bytes + [UInt8(ascii: "/")]
        return try !looking().page(below: prefix, most: 1).objects.isEmpty
    }
}

extension S3Connection {
    /// One answer of ListObjectsV2, with whole keys.
    func page(
        below prefix: [UInt8], delimiter: String? = nil, most: Int = 1000, continuation: String? = nil
    ) throws -> ListingPage {
        var query = [("encoding-type", "url"), ("list-type", "2"), ("max-keys", "\(most)")]
        if !prefix.isEmpty { query.append(("prefix", String(decoding: prefix, as: UTF8.self))) }
        if let delimiter { query.append(("delimiter", delimiter)) }
        if let continuation { query.append(("continuation-token", continuation)) }
        let answer = try sendPatiently(Request(query: query))
        let page: ListingPage
        do throws(ListingPage.Unusable) { page = try ListingPage(answer.body) } catch {
            throw ObjectStoreError.badAnswer(place: store.place, reason: error.reason)
        }
        if page.continuation != nil, page.continuation == continuation {
            throw ObjectStoreError.badAnswer(place: store.place, reason: "the same page again")
        }
        return page
    }
}
