"""The least code that does the job: one request after the other, every record decoded and written as a line."""

import sys

import httpx
import orjson

address, since, until, folder, *streams = sys.argv[1:]
client = httpx.Client(timeout=120)
session = client.post(f"{address}/api/Auth/AuthorizeByApplication", json={"ApplicationId": "", "Token": ""}).json()
client.headers["Authorization"], client.base_url = session["Token"], session["Server"]
for stream in streams:
    with open(f"{folder}/{stream}.jsonl", "wb") as file:  # noqa: PTH123 -- the least code
        page = pages = 1
        while page <= pages:
            if stream == "stock_items":
                asked = {"pageNumber": page, "entriesPerPage": 200, "loadCompositeParents": True}
                answer = client.post("/api/Stock/GetStockItemsFull", json=asked)
                rows, pages = (orjson.loads(answer.content), page + 1) if answer.is_success else ([], 0)
            else:
                search = {"FromDate": since, "ToDate": until, "PageNumber": page, "ResultsPerPage": 500}
                answer = client.post("/api/ProcessedOrders/SearchProcessedOrders", json={"request": search})
                found = orjson.loads(answer.content)["ProcessedOrders"]
                rows, pages = found["Data"], found["TotalPages"]
            if stream == "processed_order_details":
                ids = [row["pkOrderID"] for row in rows]
                for at in range(0, len(ids), 200):
                    answer = client.post("/api/Orders/GetOrdersById", json={"pkOrderIds": ids[at : at + 200]})
                    file.writelines(orjson.dumps(row) + b"\n" for row in orjson.loads(answer.content))
            else:
                file.writelines(orjson.dumps(row) + b"\n" for row in rows)
            page += 1
