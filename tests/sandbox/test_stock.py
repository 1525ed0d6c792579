import pytest

from .conftest import FULL_ITEMS, ZERO


def full(client, page=1, size=200, **body):
    return client.post("Stock/GetStockItemsFull", {"pageNumber": page, "entriesPerPage": size, **body})


def everything(client):
    return full(client, **FULL_ITEMS).json()


def simple(client):
    shop = client.sandbox.shop
    return next(item for item in shop.stock.listed() if ZERO in item.levels)


def test_a_page_has_at_most_200_items_whatever_is_asked_for(start):
    assert len(full(start(items=300), size=500).json()) == 200


def test_past_the_end_a_400_is_the_end(client):
    seen, page = [], 1
    while (answer := full(client, page, size=30)).status_code == 200:
        seen += [item["StockItemId"] for item in answer.json()]
        page += 1
    assert answer.status_code == 400
    assert answer.json() == {"Code": None, "Message": "No items found with given filter."}
    assert len(seen) == len(set(seen))
    sold = [item for item in client.sandbox.shop.stock.listed() if not (item.is_composite or item.variation_parent)]
    assert len(seen) == len(sold)


def test_parents_are_left_out_unless_they_are_asked_for(start):
    client = start(items=300)
    stock = list(client.sandbox.shop.stock.listed())
    composites = {item.id for item in stock if item.is_composite}
    parents = {item.id for item in stock if item.variation_parent}
    assert composites
    assert parents

    def ids(**flags):
        return {item["StockItemId"] for page in (1, 2) for item in full(client, page, **flags).json()}

    assert not ids() & (composites | parents)
    assert composites <= ids(loadCompositeParents=True)
    assert not ids(loadCompositeParents=True) & parents
    assert parents <= ids(loadVariationParents=True)


def test_lists_are_loaded_only_when_they_are_asked_for(client):
    bare, rich = full(client).json(), everything(client)
    assert not any(item["StockLevels"] or item["Images"] or item["Suppliers"] for item in bare)
    for name in (
        "StockLevels",
        "Suppliers",
        "ItemChannelTitles",
        "ItemChannelPrices",
        "ItemExtendedProperties",
        "Images",
    ):
        assert any(item[name] for item in rich), name


def test_a_keyword_searches_where_it_is_told_to(client):
    item = simple(client)
    found = full(client, keyword=item.sku, searchTypes=["SKU"]).json()
    assert [row["ItemNumber"] for row in found] == [item.sku]
    assert full(client, keyword=item.sku, searchTypes=["Barcode"]).status_code == 400


def test_misspelt_names_the_zero_location_and_null_dates_are_kept(client):
    rich = everything(client)
    assert any("ProperyName" in row for item in rich for row in item["ItemExtendedProperties"])
    assert any("CheckSumValue" in row for item in rich for row in item["Images"])
    levels = [level for item in rich for level in item["StockLevels"]]
    assert any(level["Location"]["StockLocationId"] == ZERO for level in levels)


def test_dates_come_in_several_spellings_and_unknown_fields_occur(start):
    items = everything(start(items=200))
    dates = [item["CreationDate"] for item in items]
    assert any(date.endswith("Z") for date in dates)
    assert any(date.endswith("+01:00") for date in dates)
    digits = {len(date.partition(".")[2].rstrip("Z").partition("+")[0]) for date in dates}
    assert {0, 7} <= digits
    assert any("SustainabilityScore" in item for item in items)


def test_archived_items_are_in_no_list_and_do_not_resolve_by_sku(client):
    item = simple(client)
    count = client.get("Inventory/GetInventoryItemsCount").json()
    body = {"parameters": {"InventoryItemIds": [item.id]}}
    assert client.post("Inventory/ArchiveInventoryItems", body).status_code == 204
    assert item.id not in {row["StockItemId"] for row in everything(client)}
    assert client.post("Inventory/GetStockItemIdsBySKU", {"request": {"SKUS": [item.sku]}}).json() == {"Items": []}
    assert client.get("Inventory/GetInventoryItemsCount").json() == count - 1
    assert client.post("Inventory/UnarchiveInventoryItems", body).status_code == 204
    assert client.get("Inventory/GetInventoryItemsCount").json() == count


def test_items_by_id_and_in_short_form_agree(client):
    item = simple(client)
    found = client.post("Stock/GetStockItemsFullByIds", {"request": {"StockItemIds": [item.id]}}).json()
    (row,) = found["StockItemsFullExtended"]
    assert (row["ItemNumber"], row["IsCompositeParent"]) == (item.sku, False)
    page = client.get("Stock/GetStockItems", keyWord=item.sku, entriesPerPage=5, pageNumber=1).json()
    assert page["TotalEntries"] == 1
    assert page["Data"][0]["Quantity"] == sum(level.on_hand for level in item.levels.values())
    assert client.get("Stock/GetStockItems", pageNumber=99, entriesPerPage=5).json()["Data"] == []


def test_levels_are_set_changed_and_read(client):
    item = simple(client)

    def level():
        rows = client.get("Stock/GetStockLevel", stockItemId=item.id).json()
        return next(row["StockLevel"] for row in rows if row["Location"]["StockLocationId"] == ZERO)

    row = {"SKU": item.sku, "LocationId": ZERO, "Level": 40}
    assert client.post("Stock/SetStockLevel", {"stockLevels": [row]}).json()[0]["StockLevel"] == 40
    assert level() == 40
    client.post("Stock/UpdateStockLevelsBySKU", {"stockLevels": [{**row, "Level": -3}]})
    assert level() == 37
    client.post("Stock/UpdateStockLevelsBulk", {"Items": [{"StockItemId": item.id, "StockLevel": 9}]})
    assert level() == 9
    batch = client.post("Stock/GetStockLevel_Batch", {"request": {"StockItemIds": [item.id]}}).json()
    assert batch[0]["pkStockItemId"] == item.id
    by_name = {"Items": [{"SKU": item.sku, "StockLocationName": "leeds warehouse", "StockLevel": 2}]}
    assert client.post("Stock/UpdateStockLevelsBulk", by_name).status_code == 200
    assert client.post("Stock/SetStockLevel", {"stockLevels": [{**row, "SKU": "none"}]}).status_code == 400


def test_available_is_what_orders_have_left(client):
    levels = [level for item in everything(client) for level in item["StockLevels"]]
    assert any(level["InOrders"] for level in levels)
    assert all(level["Available"] == level["StockLevel"] - level["InOrders"] for level in levels if level["InOrders"])


def test_a_composite_has_what_its_parts_allow(start):
    client = start(items=300)
    shop = client.sandbox.shop
    item = next(item for item in shop.stock.listed() if item.is_composite)
    parts = client.get("Inventory/GetInventoryItemCompositions", inventoryItemId=item.id).json()
    assert [(row["LinkedStockItemId"], row["Quantity"]) for row in parts] == [
        (shop.stock.items[part].id, quantity) for part, quantity in item.components
    ]
    part, quantity = item.components[0]
    shop.stock.set_level(shop.stock.items[part], ZERO, quantity * 3)
    for other, _ in item.components[1:]:
        shop.stock.set_level(shop.stock.items[other], ZERO, 5000)
    rows = client.get("Stock/GetStockLevel", stockItemId=item.id).json()
    assert next(row["StockLevel"] for row in rows if row["Location"]["StockLocationId"] == ZERO) == 3
    refused = client.post("Stock/SetStockLevel", {"stockLevels": [{"SKU": item.sku, "Level": 1}]})
    assert refused.status_code == 400


def test_variation_groups(start):
    client = start(items=300)
    found = client.get("Stock/SearchVariationGroups", searchType="ParentSKU", searchText="VAR", pageNumber=1).json()
    group = found["Data"][0]
    children = client.get("Stock/GetVariationItems", pkVariationItemId=group["pkVariationItemId"]).json()
    assert len(children) >= 3
    body = {"pkVariationItemId": group["pkVariationItemId"], "pkStockItemId": children[0]["pkStockItemId"]}
    client.post("Stock/DeleteVariationItem", body)
    left = client.get("Stock/GetVariationItems", pkVariationItemId=group["pkVariationItemId"]).json()
    assert left == children[1:]
    client.post("Stock/RenameVariationGroup", {**body, "variationName": "Renamed"})
    assert (
        client.get("Stock/GetVariationGroupByName", variationName="renamed").json()["VariationGroupName"] == "Renamed"
    )
    free = [item for item in client.sandbox.shop.stock.listed() if ZERO in item.levels][-1]
    template = {"ParentSKU": free.sku, "VariationGroupName": "New", "VariationItemIds": [children[0]["pkStockItemId"]]}
    made = client.post("Stock/CreateVariationGroup", {"template": template}).json()
    assert client.get("Stock/GetVariationItems", pkVariationItemId=made["pkVariationItemId"]).json() == children[:1]
    client.get("Stock/DeleteVariationGroup", pkVariationGroupId=made["pkVariationItemId"])
    assert client.get("Stock/GetVariationGroupByParentId", pkStockItemId=made["pkVariationItemId"]).json() is None


NEW = "11111111-2222-4333-8444-555555555555"


def item_body(**changes):
    return {
        "inventoryItem": {"ItemNumber": "NEW-1", "ItemTitle": "New", "StockItemId": NEW, "RetailPrice": 5, **changes}
    }


def test_a_new_item_needs_an_id_that_is_free(client):
    without = item_body()
    without["inventoryItem"].pop("StockItemId")
    refused = client.post("Inventory/AddInventoryItem", without)
    assert refused.status_code == 400
    assert "duplicate key" in refused.json()["Message"]
    assert client.post("Inventory/AddInventoryItem", item_body()).status_code == 204
    assert client.post("Inventory/AddInventoryItem", item_body(ItemNumber="NEW-2")).status_code == 400
    assert client.post("Inventory/AddInventoryItem", item_body(StockItemId=NEW[:-1] + "6")).status_code == 400
    assert client.get("Inventory/GetInventoryItemById", id=NEW).json()["ItemTitle"] == "New"


def test_an_update_clears_what_is_left_out(client):
    client.post("Inventory/AddInventoryItem", item_body())
    client.post("Inventory/UpdateInventoryItem", {"inventoryItem": {"StockItemId": NEW, "ItemTitle": "Newer"}})
    item = client.get("Inventory/GetInventoryItemById", id=NEW).json()
    assert (item["ItemNumber"], item["ItemTitle"], item["RetailPrice"]) == ("NEW-1", "Newer", 0)
    client.post(
        "Inventory/UpdateInventoryItemField", {"inventoryItemId": NEW, "fieldName": "RetailPrice", "fieldValue": "7"}
    )
    assert client.get("Inventory/GetInventoryItem", sKU="new-1").json()["RetailPrice"] == 7
    client.post("Inventory/DeleteInventoryItems", {"inventoryItemIds": [NEW]})
    assert client.get("Inventory/GetInventoryItemById", id=NEW).json() is None


def test_at_most_200_items_are_added_at_once(client):
    rows = [
        {"ItemNumber": f"B-{place}", "StockItemId": f"{place:08x}-2222-4333-8444-555555555555"} for place in range(201)
    ]
    assert client.post("Inventory/AddInventoryItemBulk", {"request": {"InventoryItems": rows}}).status_code == 400
    added = client.post("Inventory/AddInventoryItemBulk", {"request": {"InventoryItems": rows[:200]}}).json()
    assert (added["TotalResults"], added["ResultStatus"]) == (200, "SUCCESSFUL")


@pytest.mark.parametrize(
    ("family", "many", "field"),
    [
        ("InventoryItemTitles", "inventoryItemTitles", "Title"),
        ("InventoryItemDescriptions", "inventoryItemDescriptions", "Description"),
        ("InventoryItemPrices", "inventoryItemPrices", "Tag"),
    ],
)
def test_rows_of_an_item_need_an_id_and_lose_what_is_left_out(client, family, many, field):
    item = simple(client)
    row = {"StockItemId": item.id, "Source": "EBAY", "SubSource": "S", field: "text"}

    def rows():
        found = client.get(f"Inventory/Get{family}", inventoryItemId=item.id).json()
        return [entry for entry in found if entry["pkRowId"] == NEW]

    assert client.post(f"Inventory/Create{family}", {many: [row]}).status_code == 400
    assert client.post(f"Inventory/Create{family}", {many: [{**row, "pkRowId": NEW}]}).status_code == 204
    assert client.post(f"Inventory/Create{family}", {many: [{**row, "pkRowId": NEW}]}).status_code == 400
    assert rows()[0][field] == "text"
    client.post(f"Inventory/Update{family}", {many: [{"pkRowId": NEW, "StockItemId": item.id, "Source": "EBAY"}]})
    assert (rows()[0][field], rows()[0]["SubSource"]) == ("", "")
    client.post(f"Inventory/Delete{family}", {many.removesuffix("s") + "Ids": [NEW]})
    assert rows() == []


def test_extended_properties_suppliers_and_channel_skus(client):
    item = simple(client)
    body = {"inventoryItemExtendedProperties": [{"SKU": item.sku, "ProperyName": "P", "PropertyValue": "V"}]}
    assert client.post("Inventory/CreateInventoryItemExtendedProperties", body).status_code == 204
    found = client.post("Inventory/GetInventoryItemExtendedProperties", {"inventoryItemId": item.id}).json()
    assert found[-1]["ProperyName"] == "P"
    assert client.get("Inventory/GetStockSupplierStat", inventoryItemId=item.id).json()[0]["IsDefault"]
    skus = client.post("Inventory/BatchGetInventoryItemChannelSKUs", {"inventoryItemIds": [item.id]}).json()
    assert skus[0]["StockItemId"] == item.id
    assert client.get("Inventory/GetInventoryItemChannelSKUs", inventoryItemId=item.id).json() == skus[0]["ChannelSkus"]


def test_the_main_image_has_sort_order_0(client):
    item = simple(client)
    client.sandbox.shop.stock.edit_details(item).images.clear()
    ids = [NEW, NEW[:-1] + "7"]
    body = {"inventoryItemId": item.id, "imageIds": ids}
    assert client.post("Inventory/UploadImagesToInventoryItem", body).json()[0]["SortOrder"] == 0
    client.post("Inventory/SetInventoryItemImageAsMain", {"inventoryItemId": item.id, "mainImageId": ids[1]})
    images = client.get("Inventory/GetInventoryItemImages", inventoryItemId=item.id).json()
    assert [(row["pkRowId"], row["IsMain"], row["SortOrder"]) for row in images] == [
        (ids[1], True, 0),
        (ids[0], False, 1),
    ]
    bulk = client.post("Inventory/GetImagesInBulk", {"request": {"SKUS": [item.sku]}}).json()
    assert [row["pkRowId"] for row in bulk["Images"]] == [ids[1], ids[0]]
    client.post("Inventory/DeleteImagesFromInventoryItem", {"inventoryItemImages": {item.id: ids}})
    assert client.get("Inventory/GetInventoryItemImages", inventoryItemId=item.id).json() == []


def test_compositions_of_at_most_100_items_are_shown_at_once(client):
    ids = [f"{place:08x}-2222-4333-8444-555555555555" for place in range(101)]
    path = "Inventory/GetInventoryItemsCompositionByIds"
    assert client.post(path, {"request": {"InventoryItemIds": ids}}).status_code == 400
    assert client.post(path, {"request": {"InventoryItemIds": ids[:100]}}).status_code == 200


def test_locations(client):
    names = {row["LocationName"]: row["StockLocationId"] for row in client.get("Inventory/GetStockLocations").json()}
    assert names["Default"] == ZERO
    assert len(names) == 4
    assert client.post("Locations/AddLocation", {"location": {"LocationName": "Popup"}}).status_code == 204
    added = next(row for row in client.get("Inventory/GetStockLocations").json() if row["LocationName"] == "Popup")
    key = added["StockLocationId"]
    client.post("Locations/UpdateLocation", {"location": {"StockLocationId": key, "LocationName": "Pop-up"}})
    assert client.get("Locations/GetLocation", pkStockLocationId=key).json()["LocationName"] == "Pop-up"
    assert client.post("Locations/DeleteLocation", {"pkStockLocationId": key}).status_code == 204
    assert client.post("Locations/DeleteLocation", {"pkStockLocationId": ZERO}).status_code == 400


@pytest.mark.parametrize(
    "path", ["GetCategories", "GetChannels", "GetPostalServices", "GetPackageGroups", "GetSuppliers", "GetCountries"]
)
def test_the_lists_that_everything_refers_to(client, path):
    assert len(client.get(f"Inventory/{path}").json()) >= 3
